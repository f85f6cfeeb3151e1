package divoc

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

func base64URL(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestDecode(t *testing.T) {
	t.Parallel()
	raw := archive(t, file{memberName, string(encode(t, signed(t)))})
	text := wrap(raw)
	for name, input := range map[string][]byte{
		"archive": raw, "text": text, "mark, lines": []byte("\ufeff" + string(text) + "\r\n"),
	} {
		m, err := Decode(input)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := m.Verify(&specimenKey().PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if m.Content["proof"] != nil || m.Content["credentialSubject"].(map[string]any)["name"] != "Asha Specimen" {
			t.Errorf("%s: another content", name)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	member := file{memberName, specimen}
	good := archive(t, member)
	encrypted := bytes.Clone(good)
	central := bytes.Index(encrypted, []byte("PK\x01\x02"))
	encrypted[central+8] |= 1
	broken := bytes.Clone(good)
	broken[60] ^= 0xff
	withJSON := func(json string) []byte { return archive(t, file{memberName, json}) }
	replaced := func(old, other string) []byte { return withJSON(strings.Replace(specimen, old, other, 1)) }
	for name, tc := range map[string]struct {
		text []byte
		want Reason
	}{
		"empty":            {nil, ReasonNotDIVOC},
		"another format":   {[]byte("HC1:NCF"), ReasonNotDIVOC},
		"JSON":             {[]byte(specimen), ReasonNotDIVOC},
		"too long":         {append([]byte("B64:"), make([]byte, maxText)...), ReasonNotDIVOC},
		"base64url":        {[]byte("B64:-_-_"), ReasonInvalidEncoding},
		"no padding":       {[]byte("B64:AA"), ReasonInvalidEncoding},
		"line break":       {[]byte("B64:AAAA\nAAAA"), ReasonInvalidEncoding},
		"no archive":       {[]byte("B64:AAAA"), ReasonInvalidArchive},
		"cut off":          {good[:len(good)-10], ReasonInvalidArchive},
		"two members":      {archive(t, member, member), ReasonInvalidArchive},
		"another name":     {archive(t, file{"other.json", specimen}), ReasonInvalidArchive},
		"a path":           {archive(t, file{"../" + memberName, specimen}), ReasonInvalidArchive},
		"encrypted":        {encrypted, ReasonInvalidArchive},
		"broken":           {broken, ReasonInvalidArchive},
		"a bomb":           {withJSON(`{"a":"` + strings.Repeat("A", 1<<20) + `"}`), ReasonInvalidArchive},
		"no JSON":          {withJSON("certificate"), ReasonInvalidJSON},
		"a list":           {withJSON("[]"), ReasonInvalidJSON},
		"null":             {withJSON("null"), ReasonInvalidJSON},
		"name twice":       {replaced(`"refId"`, `"name":"x","refId"`), ReasonInvalidJSON},
		"deep":             {withJSON(strings.Repeat("[", 20) + strings.Repeat("]", 20)), ReasonInvalidJSON},
		"no type":          {replaced(`"type": ["VerifiableCredential", "ProofOfVaccinationCredential"],`, ``), ReasonInvalidStructure},
		"type of numbers":  {replaced(`"ProofOfVaccinationCredential"`, `1`), ReasonInvalidStructure},
		"issuer an object": {replaced(`"https://divoc.example/"`, `{}`), ReasonInvalidStructure},
		"no date":          {replaced(`2026-03-03T04:28:46.912+05:30`, `today`), ReasonInvalidStructure},
		"two proofs":       {replaced(`"proof":`, `"proof": [], "x":`), ReasonInvalidStructure},
		"proof, no type":   {replaced(`"type": "RsaSignature2018",`, ``), ReasonInvalidStructure},
		"proof, no method": {replaced(`"verificationMethod": "did:utopia",`, ``), ReasonInvalidStructure},
	} {
		_, err := Decode(tc.text)
		wantReason(t, name, err, tc.want)
	}
	_, err := DecodeCredential(make([]byte, maxCredential+1))
	wantReason(t, "large", err, ReasonInvalidJSON)
}

// TestContextIsOne: a name means the same everywhere, which lets one context stand for
// the nested ones that are published.
func TestContextIsOne(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	var walk func(kind *object)
	walk = func(kind *object) {
		for name, term := range kind.members {
			if before, ok := seen[name]; ok && before != term.iri {
				t.Errorf("%s means two things", name)
			}
			seen[name] = term.iri
			if term.object != nil {
				walk(term.object)
			}
		}
	}
	walk(credential)
	walk(proofOptions)
	if len(seen) < 40 {
		t.Errorf("only %d members", len(seen))
	}
}
