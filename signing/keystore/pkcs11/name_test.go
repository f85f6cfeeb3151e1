package pkcs11

import (
	"errors"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func TestVersionOf(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]int{"dsc:1": 1, "dsc:120": 120} {
		if got, err := versionOf("dsc", []byte(id)); err != nil || got != want {
			t.Errorf("%q gives %d, %v", id, got, err)
		}
	}
	for _, id := range []string{"", "dsc", "dsc:", "dsc:0", "dsc:-1", "dsc:+1", "dsc:01", "dsc:1 ", "other:1", "\x01", "dsc:99999999999999999999"} {
		if got, err := versionOf("dsc", []byte(id)); !errors.Is(err, keystore.ErrExists) {
			t.Errorf("%q gives %d, %v", id, got, err)
		}
	}
}

func FuzzVersionOf(f *testing.F) {
	f.Add("dsc", []byte("dsc:1"))
	f.Add("dsc", []byte("dsc:007"))
	f.Add("dsc", []byte{0x01})
	f.Fuzz(func(t *testing.T, label string, raw []byte) {
		version, err := versionOf(label, raw)
		if err == nil && string(id(keystore.Ref{Label: label, Version: version})) != string(raw) {
			t.Errorf("%q of %q is read as version %d, which is written otherwise", raw, label, version)
		}
	})
}
