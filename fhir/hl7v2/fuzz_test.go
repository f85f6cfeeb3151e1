package hl7v2_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

// FuzzMessage: no bytes make a reader panic, write invalid JSON or an acknowledgement that
// cannot be read; the same bytes give the same answer.
func FuzzMessage(f *testing.F) {
	for _, name := range []string{"vxu_given.hl7", "vxu_many.hl7", "vxu_v28.hl7", "adt_a01.hl7"} {
		f.Add(sample(f, name))
	}
	f.Add([]byte(head + "PID|1||\\X4AC3BC\\~\"\"^\\.br\\\r"))
	f.Add([]byte("MSH|^~\\&#|A|||||||1|P|2.8\r\nPID|||\\P\\\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, findings := hl7v2.Parse(raw)
		ack := hl7v2.Acknowledge(m, raw, hl7v2.Acknowledgement{Code: "AE", At: instant, Findings: findings})
		if again, found := hl7v2.Parse(ack); len(found) > 0 || again.Header.Type != "ACK" {
			t.Fatalf("the acknowledgement cannot be read: %s\n%q", places(found), ack)
		}
		if hl7v2.HasErrors(findings) {
			return
		}
		v, found := hl7v2.ReadVaccinations(m, options)
		bundle, at := v.Bundle(every)
		check(t, bundle, len(at), hl7v2.HasErrors(found))
		second, _ := hl7v2.ReadVaccinations(m, options)
		if again, _ := second.Bundle(every); !bytes.Equal(bundle, again) {
			t.Fatal("another Bundle for the same message")
		}
		bundle, at, found = hl7v2.ReadAdmission(m, options)
		if bundle != nil {
			check(t, bundle, len(at), hl7v2.HasErrors(found))
		}
	})
}

func check(t *testing.T, bundle []byte, entries int, erred bool) {
	t.Helper()
	var b struct{ Entry []any }
	if err := json.Unmarshal(bundle, &b); err != nil || len(b.Entry) != entries {
		t.Fatalf("%v in %q", err, bundle)
	}
	if !erred {
		conforms(t, bundle)
	}
}
