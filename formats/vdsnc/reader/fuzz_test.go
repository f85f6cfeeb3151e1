package reader

import (
	"errors"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// FuzzDecode checks, besides that nothing crashes, what callers rely on: a reason for each
// refusal, canonical bytes that are canonical, and a certificate.
func FuzzDecode(f *testing.F) {
	s := newSigner(f, "NV")
	seal := s.seal(f, specimenVaccination)
	f.Add(seal)
	f.Add("\ufeff" + seal + "\r\n")
	f.Add(seal[:len(seal)/2])
	f.Add(newSigner(f, "NT").seal(f, specimenTest))
	f.Add(strings.Replace(seal, `"seq":1`, `"seq":1e400`, 1))
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Decode(text)
		var refused *Error
		if err != nil {
			if !errors.As(err, &refused) || refused.Reason == "" || refused.Detail == "" {
				t.Errorf("another kind of error: %v", err)
			}
			return
		}
		again, err := strictjson.Canonical(m.Canonical)
		if err != nil || string(again) != string(m.Canonical) {
			t.Errorf("not canonical: %v", err)
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil && !errors.As(err, &refused) {
			t.Errorf("another kind of error: %v", err)
		}
		for _, p := range append(m.Check(), m.CheckSigner()...) {
			if p.Path == "" || p.Rule == "" {
				t.Errorf("a problem without place or rule: %v", p)
			}
		}
	})
}

func FuzzParseCertificate(f *testing.F) {
	s := newSigner(f, "NV")
	f.Add(s.der)
	f.Add(explicit(f, s, p256Parameters()))
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ParseCertificate(der)
		if err == nil && string(c.Raw) != string(der) {
			t.Error("the certificate is not the one that was given")
		}
	})
}
