package governance

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// carrying is a parsed certificate with one extension.
func carrying(id asn1.ObjectIdentifier, value []byte) *x509.Certificate {
	return &x509.Certificate{
		NotBefore: now, NotAfter: now.Add(twoYears),
		Extensions: []pkix.Extension{{Id: id, Value: value}},
	}
}

func generalized(tag byte, text string) []byte {
	return append([]byte{0x80 | tag, byte(len(text))}, text...)
}

func sequence(parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{0x30, byte(len(body))}, body...)
}

func TestPrivateUseReadsItsBounds(t *testing.T) {
	t.Parallel()
	first, last := generalized(0, "20261201000000Z"), generalized(1, "20270601000000Z")
	from, until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		value       []byte
		from, until time.Time
	}{
		"both":            {sequence(first, last), from, until},
		"begin not given": {sequence(last), now, until},
		"end not given":   {sequence(first), from, now.Add(twoYears)},
	} {
		gotFrom, gotUntil, ok, err := PrivateUse(carrying(oidPrivateUse, tc.value))
		if err != nil || !ok || !gotFrom.Equal(tc.from) || !gotUntil.Equal(tc.until) {
			t.Errorf("%s: %v to %v, %v, %v", name, gotFrom, gotUntil, ok, err)
		}
	}
	if _, _, ok, err := PrivateUse(&x509.Certificate{}); ok || err != nil {
		t.Errorf("no extension: %v, %v", ok, err)
	}
}

func TestPrivateUseRefusesWhatIsNotDER(t *testing.T) {
	t.Parallel()
	first, last := generalized(0, "20261201000000Z"), generalized(1, "20270601000000Z")
	for name, value := range map[string][]byte{
		"empty":            sequence(),
		"nothing":          {},
		"trailing":         append(sequence(first, last), 0),
		"a third member":   sequence(first, last, []byte{0x82, 0}),
		"wrong order":      sequence(last, first),
		"twice":            sequence(first, first),
		"reversed":         sequence(generalized(0, "20270601000000Z"), generalized(1, "20261201000000Z")),
		"fraction":         sequence(generalized(0, "20261201000000.5Z"), last),
		"offset":           sequence(generalized(0, "20261201000000+0100"), last),
		"UTCTime":          sequence(generalized(0, "261201000000Z"), last),
		"long form length": append([]byte{0x30, 0x81, 34}, sequence(first, last)[2:]...),
	} {
		if _, _, ok, err := PrivateUse(carrying(oidPrivateUse, value)); !ok || err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestPrivateUseRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "from"), 0).UTC()
		until := from.Add(time.Duration(rapid.Int64Range(1, 4e8).Draw(t, "seconds")) * time.Second)
		e, err := periodExtension(from, until)
		if err != nil {
			t.Fatal(err)
		}
		gotFrom, gotUntil, ok, err := PrivateUse(carrying(oidPrivateUse, e.Value))
		if err != nil || !ok || !gotFrom.Equal(from) || !gotUntil.Equal(until) {
			t.Fatalf("%v to %v became %v to %v, %v", from, until, gotFrom, gotUntil, err)
		}
	})
}

func TestDocumentTypes(t *testing.T) {
	t.Parallel()
	// The bytes of a published barcode signer certificate.
	sample := []byte{0x30, 9, 2, 1, 0, 0x31, 4, 0x13, 2, 0x4e, 0x56}
	types, ok, err := DocumentTypes(carrying(oidDocumentType, sample))
	if err != nil || !ok || len(types) != 1 || types[0] != DocumentVaccination {
		t.Error(types, ok, err)
	}
	written, err := documentTypeExtension([]string{DocumentVaccination})
	if err != nil || !bytes.Equal(written.Value, sample) {
		t.Errorf("%x, %v", written.Value, err)
	}
	for name, value := range map[string][]byte{
		"no type":     {0x30, 5, 2, 1, 0, 0x31, 0},
		"version 1":   {0x30, 9, 2, 1, 1, 0x31, 4, 0x13, 2, 'N', 'V'},
		"UTF8String":  {0x30, 9, 2, 1, 0, 0x31, 4, 0x0c, 2, 'N', 'V'},
		"unsorted":    {0x30, 13, 2, 1, 0, 0x31, 8, 0x13, 2, 'N', 'V', 0x13, 2, 'N', 'T'},
		"twice":       {0x30, 13, 2, 1, 0, 0x31, 8, 0x13, 2, 'N', 'V', 0x13, 2, 'N', 'V'},
		"passport":    {0x30, 8, 2, 1, 0, 0x31, 3, 0x13, 1, 'P'},
		"trailing":    append(bytes.Clone(sample), 0),
		"more inside": {0x30, 11, 2, 1, 0, 0x31, 4, 0x13, 2, 'N', 'V', 5, 0},
	} {
		if got, _, err := DocumentTypes(carrying(oidDocumentType, value)); err == nil {
			t.Errorf("%s is accepted as %v", name, got)
		}
	}
	for _, types := range [][]string{nil, {"NV", "NV"}, {"P"}} {
		if _, err := documentTypeExtension(types); err == nil {
			t.Errorf("writes %v", types)
		}
	}
}

func FuzzPrivateUse(f *testing.F) {
	f.Add(sequence(generalized(0, "20261201000000Z"), generalized(1, "20270601000000Z")))
	f.Add(sequence(generalized(1, "20270601000000Z")))
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, value []byte) {
		certificate := carrying(oidPrivateUse, value)
		from, until, ok, err := PrivateUse(certificate)
		if !ok || (err == nil && !from.Before(until)) {
			t.Fatalf("%v to %v, %v", from, until, ok)
		}
		if p, err := parsePeriod(value); err == nil {
			if again, err := asn1.Marshal(p); err != nil || !bytes.Equal(again, value) {
				t.Fatalf("%x reads as %v and writes as %x", value, p, again)
			}
		}
	})
}

func FuzzDocumentTypes(f *testing.F) {
	f.Add([]byte{0x30, 9, 2, 1, 0, 0x31, 4, 0x13, 2, 0x4e, 0x56})
	f.Add([]byte{0x30, 13, 2, 1, 0, 0x31, 8, 0x13, 2, 'N', 'T', 0x13, 2, 'N', 'V'})
	f.Fuzz(func(t *testing.T, value []byte) {
		types, err := parseDocumentTypes(value)
		if err != nil {
			return
		}
		if again, err := documentTypeExtension(types); err != nil || !bytes.Equal(again.Value, value) {
			t.Fatalf("%x writes as %x, %v", value, again.Value, err)
		}
	})
}

// A barcode signer certificate of a member state breaks only what this house adds to ICAO.
func TestPublishedBarcodeSigner(t *testing.T) {
	t.Parallel()
	raw := vectors.Read(t, "icao-vdsnc", "ICAOAUQR1Unpacked.json")
	var seal struct {
		Sig struct {
			Cer string `json:"cer"`
		} `json:"sig"`
	}
	if err := json.Unmarshal(raw, &seal); err != nil {
		t.Fatal(err)
	}
	der, err := base64.URLEncoding.DecodeString(seal.Sig.Cer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	got := ruleIDs(Lint(keystore.UsageVDSNC, certificate, newCSCA(t, unchanged).certificate))
	want := []string{
		"signature-es256", "serial", "subject-name", // an RSA authority, a short serial number, no O
		"issuer-name", "issuer-country", "authority-key-id", "validity-length", "validity-within-issuer", "signature", // another issuer
	}
	if !slices.Equal(got, want) {
		t.Errorf("a published barcode signer breaks %v, want %v", got, want)
	}
}
