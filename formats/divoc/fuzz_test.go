package divoc

import (
	"errors"
	"testing"
	"time"
)

// FuzzDecode checks, besides that nothing crashes, that each refusal has a reason.
func FuzzDecode(f *testing.F) {
	raw := archive(f, file{memberName, specimen})
	f.Add(raw)
	f.Add(wrap(raw))
	f.Add(wrap(raw)[:200])
	f.Add([]byte("B64:UEsDBA=="))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, err := Decode(text)
		var refused *Error
		if err != nil && (!errors.As(err, &refused) || refused.Detail == "") {
			t.Errorf("another kind of error: %v", err)
		}
	})
}

// FuzzVerify also holds canonicalisation to its budget: graphs that take other
// implementations minutes are refused before, and what is left takes milliseconds.
func FuzzVerify(f *testing.F) {
	key := &specimenKey().PublicKey
	f.Add(encode(f, signed(f)))
	f.Add([]byte(specimen))
	f.Add([]byte(`{"@context":[],"type":[],"issuer":"x:y","issuanceDate":"2026-01-01T00:00:00Z","proof":{"type":"RsaSignature2018","verificationMethod":"x:y"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := DecodeCredential(raw)
		if err != nil {
			return
		}
		start := time.Now()
		var refused *Error
		if err := m.Verify(key); err != nil && !errors.As(err, &refused) {
			t.Errorf("another kind of error: %v", err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		m.Interchangeable()
	})
}
