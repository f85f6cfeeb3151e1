package shc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// The credential types (SMART Health Cards Framework, "Health Cards" vocabulary).
const (
	TypeHealthCard   = "https://smarthealth.cards#health-card"
	TypeImmunization = "https://smarthealth.cards#immunization"
	TypeLaboratory   = "https://smarthealth.cards#laboratory"
	TypeCOVID19      = "https://smarthealth.cards#covid19"
)

const (
	fhirVersion      = "4.0.1"
	patientReference = "resource:0"
)

// Payload gives the payload of the JWS before compression: minified JSON, members in the
// order of the framework's examples, entries as resource:0 (the patient), resource:1 and
// so on. The same credential always gives the same bytes. What may not be signed is an
// *Error.
func (c Credential) Payload() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	claims := wireClaims{
		Issuer:    c.Issuer,
		NotBefore: c.NotBefore.Unix(),
		VC: wireVC{
			Type: c.Card.types(),
			Subject: wireSubject{
				FHIRVersion: fhirVersion,
				Bundle:      wireBundle{ResourceType: "Bundle", Type: "collection", Entry: c.Card.entries()},
			},
			RID: c.Card.RevocationID,
		},
	}
	if !c.ExpiresAt.IsZero() {
		claims.ExpiresAt = c.ExpiresAt.Unix()
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false) // escapes would cost room in the code
	if err := encoder.Encode(claims); err != nil {
		return nil, fmt.Errorf("shc: encode payload: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// types lists what the card is, the mandatory type first.
func (c Card) types() []string {
	types := []string{TypeHealthCard}
	if len(c.Immunizations) > 0 {
		types = append(types, TypeImmunization)
	} else {
		types = append(types, TypeLaboratory)
	}
	if c.COVID19 {
		types = append(types, TypeCOVID19)
	}
	return types
}

func (c Card) entries() []wireEntry {
	entries := make([]wireEntry, 0, 1+len(c.Immunizations)+len(c.Observations))
	add := func(resource any) {
		entries = append(entries, wireEntry{FullURL: "resource:" + strconv.Itoa(len(entries)), Resource: resource})
	}
	add(c.Patient.wire())
	for i := range c.Immunizations {
		add(c.Immunizations[i].wire())
	}
	for i := range c.Observations {
		add(c.Observations[i].wire())
	}
	return entries
}

func (p Patient) wire() wirePatient {
	return wirePatient{
		ResourceType: "Patient",
		Name:         []wireName{{Family: p.Family, Given: p.Given, Text: p.Text}},
		BirthDate:    p.BirthDate,
	}
}

func (i *Immunization) wire() *wireImmunization {
	w := &wireImmunization{
		ResourceType: "Immunization",
		Status:       "completed",
		VaccineCode:  wireConcept{Coding: []Coding{i.Vaccine}},
		Patient:      wireReference{Reference: patientReference},
		Occurrence:   i.Date,
		LotNumber:    i.Lot,
	}
	if i.Performer != "" {
		w.Performer = []wirePerformer{{Actor: wireReference{Display: i.Performer}}}
	}
	if i.Manufacturer != nil {
		w.Manufacturer = &wireReference{Identifier: &wireIdentifier{System: i.Manufacturer.System, Value: i.Manufacturer.Code}}
	}
	return w
}

func (o *Observation) wire() *wireObservation {
	w := &wireObservation{
		ResourceType: "Observation",
		Status:       "final",
		Code:         wireConcept{Coding: []Coding{o.Code}},
		Subject:      wireReference{Reference: patientReference},
		Effective:    o.Date,
		Value:        wireConcept{Coding: []Coding{o.Value}},
	}
	if o.Performer != "" {
		w.Performer = []wireReference{{Display: o.Performer}}
	}
	return w
}
