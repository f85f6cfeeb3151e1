package fhiraudit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/samply/golang-fhir-models/fhir-models/fhir"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
)

func record(e audit.Entry) audit.Record {
	if e.Time.IsZero() {
		e.Time = time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)
	}
	return audit.Record{Receipt: audit.Receipt{Seq: 7, Hash: bytes.Repeat([]byte{9}, 32)}, Entry: e}
}

func signed() audit.Entry {
	return audit.Entry{
		Action: "certificate.signed", Actor: "gateway.example", Subject: "0b9c8a52-4f0e-4f43-8a2f-0a6a2f3b7c11",
		Outcome: "success", Digest: "00ff", Attributes: map[string]string{"issuer": "clinic-1", "profile": "who-ddcc-vs", "kid": "AAAA"},
	}
}

func encode(t fataler, e AuditEvent) []byte {
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type fataler interface{ Fatal(args ...any) }

func TestEventOfASignature(t *testing.T) {
	t.Parallel()
	b := encode(t, Event("signer 1", record(signed())))
	if err := valid(b); err != nil {
		t.Error(err)
	}
	for _, want := range []string{
		`"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-event-type","code":"rest","display":"RESTful Operation"}`,
		`"action":"C"`, `"recorded":"2026-03-01T08:30:00Z"`, `"outcome":"0"`,
		`"who":{"identifier":{"value":"gateway.example"},"display":"gateway.example"},"requestor":true`,
		`"who":{"identifier":{"value":"clinic-1"},"display":"clinic-1"},"requestor":false`,
		`"observer":{"identifier":{"value":"signer 1"},"display":"signer 1"}`,
		`"what":{"identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:0b9c8a52-4f0e-4f43-8a2f-0a6a2f3b7c11"}}`,
		`{"type":"digest","valueString":"00ff"},{"type":"kid","valueString":"AAAA"},{"type":"profile","valueString":"who-ddcc-vs"}`,
		`{"type":"sequence","valueString":"7"}`,
	} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("%s\nis not in\n%s", want, b)
		}
	}
}

func TestIDIsStable(t *testing.T) {
	t.Parallel()
	first, other := record(signed()), record(signed())
	other.Hash = bytes.Repeat([]byte{8}, 32)
	a, b := Event("signer 1", first), Event("signer 1", first)
	if !bytes.Equal(encode(t, a), encode(t, b)) {
		t.Error("the same entry gave two events")
	}
	// Written down: events that were exported keep their ids for ever.
	if want := "83ed7597-5750-50d9-a617-bb13fe505c4f"; a.ID != want {
		t.Errorf("id %s, want %s", a.ID, want)
	}
	if a.ID == Event("signer 2", first).ID || a.ID == Event("signer 1", other).ID {
		t.Error("two entries share an id")
	}
}

func TestCodesOfAnEntry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		entry                   audit.Entry
		kind, action, outcome   string
		requestor, securityRole bool
	}{
		{audit.Entry{Action: "certificate.intent", Actor: "a", Outcome: "success"}, "rest", "E", "0", true, false},
		{audit.Entry{Action: "certificate.refused", Actor: "a", Outcome: "failure", Reason: "lint date"}, "rest", "E", "4", true, false},
		{audit.Entry{Action: "certificate.refused", Actor: "a", Outcome: "failure", Reason: "signature-mismatch"}, "rest", "E", "8", true, false},
		{audit.Entry{Action: "certificate.cancelled", Actor: "a", Outcome: "success"}, "rest", "U", "0", true, false},
		{audit.Entry{Action: "document.signed", Actor: "a", Outcome: "success"}, "rest", "C", "0", true, false},
		{audit.Entry{Action: "key.rotated", Actor: "operator", Outcome: "success"}, "110113", "U", "0", true, true},
		{audit.Entry{Action: "operation.executed", Actor: "operator", Outcome: "done"}, "110113", "U", "0", true, true},
		{audit.Entry{Action: "operation.refused", Actor: "operator", Outcome: "refused", Reason: "four-eyes"}, "110113", "E", "4", true, true},
		{audit.Entry{Action: "operation.executed", Actor: "operator", Outcome: "failed"}, "110113", "U", "8", true, true},
		{audit.Entry{Action: "register.read", Actor: "operator", Outcome: "done"}, "110112", "R", "0", true, true},
		{audit.Entry{Action: "connection.refused", Actor: "stranger", Outcome: "failure", Reason: "expired"}, "110114", "E", "4", true, true},
		{audit.Entry{Action: "refusals.summed", Outcome: "failure", Reason: "bound"}, "110113", "E", "4", false, true},
		{audit.Entry{Action: "upload.signed", Actor: "signer", Outcome: "success"}, "110106", "C", "0", true, true},
		{audit.Entry{Action: "started"}, "110100", "E", "8", false, true},
	}
	for _, test := range tests {
		e := Event("signer", record(test.entry))
		if e.Type.Code != test.kind || e.Action != test.action || e.Outcome != test.outcome || e.Agent[0].Requestor != test.requestor {
			t.Errorf("%+v gave %+v", test.entry, e)
		}
		if got := e.Entity[0].Role == roleSecurity; got != test.securityRole {
			t.Errorf("%s: role %+v", test.entry.Action, e.Entity[0].Role)
		}
		if err := valid(encode(t, e)); err != nil {
			t.Errorf("%s: %v", test.entry.Action, err)
		}
	}
}

// TestAnyEntryGivesAValidEvent feeds entries with every kind of text the log takes.
func TestAnyEntryGivesAValidEvent(t *testing.T) {
	t.Parallel()
	words := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", "\t\n", "certificate.signed", "key.rotated", "a  b", "\u0000", "\u00a0"}))
	rapid.Check(t, func(t *rapid.T) {
		e := audit.Entry{
			Time:   time.Unix(rapid.Int64Range(0, 253402300799).Draw(t, "time"), 0),
			Action: words.Draw(t, "action"), Actor: words.Draw(t, "actor"), Subject: words.Draw(t, "subject"),
			Outcome: words.Draw(t, "outcome"), Reason: words.Draw(t, "reason"), Digest: words.Draw(t, "digest"),
			Attributes: rapid.MapOfN(words, words, 0, 4).Draw(t, "attributes"),
		}
		if rapid.Bool().Draw(t, "issuer") {
			e.Attributes[attributeIssuer] = words.Draw(t, "name")
		}
		b := encode(t, Event(words.Draw(t, "origin"), record(e)))
		if err := valid(b); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
	})
}

// TestInvalidEventsAreFound shows that the rules of this test can fail.
func TestInvalidEventsAreFound(t *testing.T) {
	t.Parallel()
	b := string(encode(t, Event("signer", record(signed()))))
	for _, change := range [][2]string{
		{`"resourceType":"AuditEvent"`, `"resourceType":"AuditEvents"`},
		{`"id":"`, `"id":"_`}, {`"action":"C"`, `"action":"X"`}, {`"outcome":"0"`, `"outcome":"1"`},
		{`"recorded":"2026-03-01T08:30:00Z"`, `"recorded":"2026-03-01"`},
		{`"requestor":true`, `"requestor":null`}, {`"digest","valueString":"00ff"`, `"digest","valueString":""`},
		{`"code":"rest"`, `"code":"rest "`}, {`"system":"http://terminology.hl7.org/CodeSystem/object-role"`, `"system":"object role"`},
		{`"recorded"`, `"recorder"`}, {`"agent":[`, `"agent":[],"x":[`},
	} {
		changed := strings.Replace(b, change[0], change[1], 1)
		if changed == b {
			t.Fatalf("%s is not in the event", change[0])
		}
		if valid([]byte(changed)) == nil {
			t.Errorf("%s passed", change[1])
		}
	}
}

var (
	idForm      = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)
	codeForm    = regexp.MustCompile(`^[^\s]+(\s[^\s]+)*$`)
	instantForm = regexp.MustCompile(`^\d{4}-(0[1-9]|1[0-2])-([0-2]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]\d{2}:\d{2})$`)
	uriForm     = regexp.MustCompile(`^(https?://|urn:)\S+$`)
)

// valid holds an event against R4: what is required, the required bindings, the forms of
// the primitives, no empty value, and no element that R4 does not have.
func valid(b []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if err := forms(raw); err != nil {
		return err
	}
	if raw["resourceType"] != "AuditEvent" {
		return errors.New("not an AuditEvent")
	}
	delete(raw, "resourceType")
	rest, err := json.Marshal(raw)
	if err != nil {
		return err
	}
	strict := json.NewDecoder(bytes.NewReader(rest))
	strict.DisallowUnknownFields()
	var e fhir.AuditEvent // reads the required codes itself and refuses others
	if err := strict.Decode(&e); err != nil {
		return err
	}
	switch {
	case e.Id == nil || !idForm.MatchString(*e.Id):
		return errors.New("id")
	case e.Type.Code == nil || e.Type.System == nil:
		return errors.New("type 1..1")
	case !instantForm.MatchString(e.Recorded):
		return errors.New("recorded 1..1 instant")
	case len(e.Agent) == 0:
		return errors.New("agent 1..*")
	case e.Source.Observer.Identifier == nil:
		return errors.New("source.observer 1..1")
	}
	for _, a := range raw["agent"].([]any) {
		if _, ok := a.(map[string]any)["requestor"].(bool); !ok {
			return errors.New("agent.requestor 1..1")
		}
	}
	for _, entity := range e.Entity {
		if entity.Name != nil && entity.Query != nil {
			return errors.New("sev-1: a name or a query, not both")
		}
		for _, d := range entity.Detail {
			if d.Type == "" || d.ValueString == "" {
				return errors.New("entity.detail.type and value[x] 1..1")
			}
		}
	}
	return nil
}

// forms checks that nothing is empty and that codes, addresses and texts look like such.
func forms(v any) error {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return errors.New("an empty object")
		}
		for name, value := range v {
			s, isText := value.(string)
			switch {
			case isText && (s == "" || strings.TrimSpace(s) == ""):
				return fmt.Errorf("%s is empty", name)
			case isText && name == "code" && !codeForm.MatchString(s), isText && name == "system" && !uriForm.MatchString(s):
				return fmt.Errorf("%s has a wrong form", name)
			case isText && strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' }):
				return fmt.Errorf("%s holds a control character", name)
			}
			if err := forms(value); err != nil {
				return err
			}
		}
	case []any:
		if len(v) == 0 {
			return errors.New("an empty list")
		}
		for _, value := range v {
			if err := forms(value); err != nil {
				return err
			}
		}
	}
	return nil
}
