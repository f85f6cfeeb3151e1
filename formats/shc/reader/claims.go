package reader

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

const maxTypes = 32

// setPayload reads the claims (SMART Health Cards Framework, "Modelling W3C Verifiable
// Credentials as JWT").
func (m *Message) setPayload() error {
	if err := strictjson.Check(m.Payload, maxDepth); err != nil {
		return fail(ReasonInvalidJSON, "the payload is not one JSON value in UTF-8 without repeated names, at most 32 levels deep").because(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(m.Payload))
	decoder.UseNumber()
	var root any
	if err := decoder.Decode(&root); err != nil {
		return fail(ReasonInvalidJSON, "the payload is not JSON").because(err)
	}
	content, ok := root.(map[string]any)
	if !ok {
		return fail(ReasonInvalidClaims, "the payload is not an object")
	}
	m.Content = content
	if err := m.setTimes(); err != nil {
		return err
	}
	if m.Issuer, ok = content["iss"].(string); !ok || m.Issuer == "" {
		return fail(ReasonInvalidClaims, "iss must be the URL of the issuer")
	}
	return m.setCredential()
}

func (m *Message) setTimes() error {
	const rule = " must be seconds since 1970, not milliseconds"
	var ok bool
	if m.NotBefore, ok = numericDate(m.Content["nbf"]); !ok {
		return fail(ReasonInvalidClaims, "nbf"+rule)
	}
	exp, present := m.Content["exp"]
	if !present {
		return nil
	}
	if m.ExpiresAt, ok = numericDate(exp); !ok {
		return fail(ReasonInvalidClaims, "exp"+rule)
	}
	return nil
}

// numericDate reads seconds since 1970 (RFC 7519 §2). The fraction of old cards says
// nothing a verifier could depend on and is dropped. Milliseconds lie behind the year 9999.
func numericDate(value any) (time.Time, bool) {
	const year9999 = 253402300799
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || seconds < 1 || seconds > year9999 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0).UTC(), true
}

func (m *Message) setCredential() error {
	vc, ok := m.Content["vc"].(map[string]any)
	if !ok {
		return fail(ReasonInvalidClaims, "vc must be an object")
	}
	types, ok := vc["type"].([]any)
	if !ok || len(types) > maxTypes {
		return fail(ReasonInvalidClaims, "vc.type must be a list of at most 32 types")
	}
	for _, item := range types {
		name, ok := item.(string)
		if !ok {
			return fail(ReasonInvalidClaims, "vc.type must be a list of strings")
		}
		m.Types = append(m.Types, name)
	}
	if rid, present := vc["rid"]; present {
		if m.RID, ok = rid.(string); !ok || m.RID == "" {
			return fail(ReasonInvalidClaims, "vc.rid must be a string")
		}
	}
	subject, _ := vc["credentialSubject"].(map[string]any)
	if _, ok := subject["fhirBundle"].(map[string]any); !ok {
		return fail(ReasonInvalidClaims, "vc.credentialSubject.fhirBundle must be an object")
	}
	return nil
}

// subject is vc.credentialSubject of a message that was decoded.
func (m *Message) subject() map[string]any {
	vc, _ := m.Content["vc"].(map[string]any)
	subject, _ := vc["credentialSubject"].(map[string]any)
	return subject
}
