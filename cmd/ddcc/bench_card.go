package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/card"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

// pdfCard row: a card of two doses, each with the QR codes of WHO's certificate and of the
// EU's, which are drawn for it.
func (b *bench) pdfCard() (measurement, error) {
	who, err := b.codecs()
	if err != nil {
		return measurement{}, err
	}
	eu, err := b.format(formatDCC)
	if err != nil {
		return measurement{}, err
	}
	draw := func(i int) ([]byte, error) { return b.benchCard(who.texts, eu.texts, i) }
	page, err := draw(0)
	if err != nil {
		return measurement{}, err
	}
	rates, err := b.oneCore(func(i int) error { _, err := draw(i); return err })
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: rates[0].wall, note: fmt.Sprintf("QR codes drawn for it, %s bytes; %s", figure(float64(len(page))), rates[0].note())}, nil
}

// benchCard is the i-th card. What is no card, or has a box in place of a character, is an
// error.
func (b *bench) benchCard(who, eu []string, i int) ([]byte, error) {
	page := card.Card{
		Language: "en", Authority: devinstall.Authority.Name, HCID: fmt.Sprintf("BENCH%010d", i),
		Holder: card.Holder{Name: exampleName, BirthDate: exampleBirthDate, Sex: "female", Identifier: exampleIdentifier},
	}
	for dose := 1; dose <= 2; dose++ {
		event := card.Event{
			Vaccination: &card.Vaccination{
				Disease: "COVID-19", Vaccine: "COVID-19 vaccine, RNA based", Brand: "Comirnaty", Manufacturer: "Biontech Manufacturing GmbH",
				Lot: fmt.Sprintf("SPEC-%dA", dose), Date: b.began.AddDate(0, -3+dose, 0).Format(time.DateOnly), Dose: dose, TotalDoses: 2,
				Country: "Switzerland", Centre: "Specimen Health Centre",
			},
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", 2*i+dose), IssuedAt: b.began.UTC().Format(time.RFC3339),
			ValidUntil: b.began.AddDate(0, 6, 0).UTC().Format(time.RFC3339),
		}
		for format, texts := range map[string][]string{formatWHO: who, formatDCC: eu} {
			drawn, err := symbol.For(texts[(2*i+dose)%len(texts)])
			if err != nil {
				return nil, err
			}
			event.Codes = append(event.Codes, card.Code{Format: format, Symbol: drawn})
		}
		page.Events = append(page.Events, event)
	}
	pdf, warnings, err := card.PDF(page, card.Options{Now: b.began})
	if err == nil && (len(warnings) > 0 || !bytes.HasPrefix(pdf, []byte("%PDF-"))) {
		err = errors.New("the card is not whole")
	}
	return pdf, err
}
