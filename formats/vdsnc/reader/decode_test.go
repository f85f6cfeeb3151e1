package reader

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "NV")
	seal := s.seal(t, specimenVaccination)
	for name, text := range map[string]string{
		"as written":  seal,
		"mark, lines": "\ufeff" + seal + "\r\n",
		"spaces":      strings.ReplaceAll(seal, `":`, "\" :\n "),
		"other order": `{"sig":` + seal[strings.Index(seal, `{"alg"`):len(seal)-1] + `,"data":` + specimenVaccination + `}`,
		"escapes":     strings.Replace(seal, "SPECIMEN", `SP\u0045CIMEN`, 1),
		"padding":     strings.Replace(seal, `"}}`, `=="}}`, 1),
	} {
		m, err := Decode(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if string(m.Canonical) != specimenVaccination || m.Algorithm != "ES256" || len(m.Warnings) > 0 ||
			!bytes.Equal(m.CertificateDER, s.der) || string(m.AKI()) != "specimen" {
			t.Errorf("%s: got %q %v", name, m.Algorithm, m.Warnings)
		}
		person := m.Data["msg"].(map[string]any)["pid"].(map[string]any)
		if person["n"] != "SPECIMEN  ANNA" {
			t.Errorf("%s: another name", name)
		}
	}
}

// TestDecodeRefuses: each part that is wrong has its own reason.
func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "NV")
	seal := s.seal(t, specimenVaccination)
	cer := s.certificate()
	swap := func(old, other string) string {
		if !strings.Contains(seal, old) {
			t.Fatalf("no %s", old)
		}
		return strings.Replace(seal, old, other, 1)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0)}
	rsaDER, err := x509.CreateCertificate(rand.Reader, template, template, &rsaKey.PublicKey, rsaKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		text string
		want Reason
	}{
		"empty":                {"", ReasonNotVDSNC},
		"another format":       {"HC1:NCF", ReasonNotVDSNC},
		"an array":             {"[" + seal + "]", ReasonNotVDSNC},
		"too long":             {seal + strings.Repeat(" ", maxText), ReasonNotVDSNC},
		"no sig":               {`{"data":` + specimenVaccination + `}`, ReasonNotVDSNC},
		"no data":              {`{"sig":{}}`, ReasonNotVDSNC},
		"other case":           {swap(`"data"`, `"Data"`), ReasonNotVDSNC},
		"cut off":              {seal[:len(seal)-1], ReasonInvalidJSON},
		"two":                  {seal + seal, ReasonInvalidJSON},
		"data twice":           {swap(`"sig"`, `"data":{},"sig"`), ReasonInvalidJSON},
		"name twice":           {swap(`"uvci"`, `"n":"1","n":"2","uvci"`), ReasonInvalidJSON},
		"invalid UTF-8":        {swap("SPECIMEN", "SPEC\xffMEN"), ReasonInvalidJSON},
		"deep":                 {swap(`"U32870"`, strings.Repeat("[", 20)+strings.Repeat("]", 20)), ReasonInvalidJSON},
		"no header":            {swap(`"hdr"`, `"HDR"`), ReasonInvalidStructure},
		"message a list":       {sealText(`{"hdr":{"is":"UTO","t":"icao.vacc","v":1},"msg":[]}`, "ES256", cer, "AA"), ReasonInvalidStructure},
		"type a number":        {swap(`"icao.vacc"`, `1`), ReasonInvalidStructure},
		"another type":         {swap(`icao.vacc`, `icao.visa`), ReasonUnsupportedType},
		"version a text":       {swap(`"v":1`, `"v":"1"`), ReasonInvalidStructure},
		"another version":      {swap(`"v":1`, `"v":2`), ReasonUnsupportedVersion},
		"half a version":       {swap(`"v":1`, `"v":1.5`), ReasonUnsupportedVersion},
		"no state":             {swap(`"is":"UTO"`, `"is":"uto"`), ReasonInvalidStructure},
		"no algorithm":         {swap(`"alg"`, `"ALG"`), ReasonInvalidStructure},
		"none":                 {swap(`ES256`, `none`), ReasonUnsupportedAlgorithm},
		"PS256":                {swap(`ES256`, `PS256`), ReasonUnsupportedAlgorithm},
		"no certificate":       {swap(cer, ""), ReasonInvalidStructure},
		"base64":               {swap(cer, "+"+cer[1:]), ReasonInvalidEncoding},
		"line break":           {swap(cer, cer[:8]+`\n`+cer[8:]), ReasonInvalidEncoding},
		"wrong padding":        {swap(`"}}`, `="}}`), ReasonInvalidEncoding},
		"stray bits":           {sealText(specimenVaccination, "ES256", cer, "AB"), ReasonInvalidEncoding},
		"a broken certificate": {swap(cer, cer[:40]), ReasonInvalidCertificate},
		"of RSA":               {swap(cer, base64.RawURLEncoding.EncodeToString(rsaDER)), ReasonInvalidCertificate},
	} {
		_, err := Decode(tc.text)
		wantReason(t, name, err, tc.want)
	}
}

func TestUnsignedMembersAreReported(t *testing.T) {
	t.Parallel()
	seal := newSigner(t, "NV").seal(t, specimenVaccination)
	seal = strings.Replace(seal, `"sig":{`, `"more":1,"sig":{"more":2,`, 1)
	m, err := Decode(seal)
	if err != nil || len(m.Warnings) != 2 || len(m.Data) != 2 {
		t.Errorf("got %v, %v", m, err)
	}
}

// TestTampering changes each part that the signature must notice.
func TestTampering(t *testing.T) {
	t.Parallel()
	s, other := newSigner(t, "NV"), newSigner(t, "NV")
	seal := s.seal(t, specimenVaccination)
	signature := s.sign(t, crypto.SHA256, specimenVaccination)
	signature[40] ^= 1
	for name, text := range map[string]string{
		"header":      strings.Replace(seal, "UTO", "UTP", 1),
		"type":        strings.Replace(seal, "icao.vacc", "icao.test", 1),
		"name":        strings.Replace(seal, "ANNA", "ANNE", 1),
		"dose":        strings.Replace(seal, `"seq":1`, `"seq":2`, 1),
		"more":        strings.Replace(seal, `"uvci"`, `"opt":"x","uvci"`, 1),
		"signature":   sealText(specimenVaccination, "ES256", s.certificate(), base64.RawURLEncoding.EncodeToString(signature)),
		"certificate": strings.Replace(seal, s.certificate(), other.certificate(), 1),
		"short":       sealText(specimenVaccination, "ES256", s.certificate(), "AAAA"),
		"zero":        sealText(specimenVaccination, "ES256", s.certificate(), strings.Repeat("A", 86)),
	} {
		m, err := Decode(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantReason(t, name, m.Verify(m.Certificate.PublicKey), ReasonBadSignature)
	}
	m, err := Decode(strings.Replace(seal, "ES256", "ES384", 1))
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, "algorithm", m.Verify(m.Certificate.PublicKey), ReasonUnsuitableKey)
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	for algorithm, tc := range map[string]struct {
		curve elliptic.Curve
		hash  crypto.Hash
	}{
		"ES256": {elliptic.P256(), crypto.SHA256},
		"ES384": {elliptic.P384(), crypto.SHA384},
		"ES512": {elliptic.P521(), crypto.SHA512},
	} {
		s := newSignerOn(t, tc.curve, "NT")
		signature := base64.URLEncoding.EncodeToString(s.sign(t, tc.hash, specimenTest))
		m, err := Decode(sealText(specimenTest, algorithm, s.certificate(), signature))
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		for name, key := range map[string]crypto.PublicKey{
			"nil": nil, "no key": "key", "a value": s.key.PublicKey, "P-224": &newKey(t, elliptic.P224()).PublicKey,
		} {
			wantReason(t, algorithm+" "+name, m.Verify(key), ReasonUnsuitableKey)
		}
	}
}

// TestSignBytes: signatures of the one signer that writes DER integers without heads.
func TestSignBytes(t *testing.T) {
	t.Parallel()
	s := newSigner(t, "NV")
	seen := map[int]bool{}
	for tries := 0; len(seen) < 3 && tries < 200; tries++ {
		fixed := s.sign(t, crypto.SHA256, specimenVaccination)
		if fixed[0] == 0 || fixed[32] == 0 {
			continue // DER would be shorter, which that signer never was seen to write
		}
		var loose []byte
		for _, half := range [][]byte{fixed[:32], fixed[32:]} {
			if half[0] >= 0x80 {
				loose = append(loose, 0)
			}
			loose = append(loose, half...)
		}
		seen[len(loose)] = true
		text := sealText(specimenVaccination, "ES256", s.certificate(), base64.RawURLEncoding.EncodeToString(loose))
		m, err := Decode(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Verify(m.Certificate.PublicKey); err != nil {
			t.Errorf("%d bytes: %v", len(loose), err)
		}
		if got, want := len(m.Warnings), min(1, len(loose)-64); got != want {
			t.Errorf("%d bytes: %d warnings", len(loose), got)
		}
	}
	if len(seen) < 3 {
		t.Errorf("only lengths %v were seen", seen)
	}
	for _, signature := range [][]byte{bytes.Repeat([]byte{1}, 65), bytes.Repeat([]byte{1}, 66), bytes.Repeat([]byte{0}, 67)} {
		m := &Message{Algorithm: "ES256", Signature: signature}
		wantReason(t, "no sign byte", m.Verify(&s.key.PublicKey), ReasonBadSignature)
	}
}
