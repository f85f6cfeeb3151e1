package reader

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// Each fuzz target checks, besides that nothing crashes, what callers rely on.

func FuzzDecode(f *testing.F) {
	jws := unsigned(f, specimenHeader, specimenPayload)
	f.Add(jws)
	f.Add("shc:/" + digitsOf(jws))
	f.Add("\ufeffshc:/1/1/" + digitsOf(jws) + "\r\n")
	f.Add(jws[:len(jws)/2])
	f.Add("shc:/567629")
	key := &newKey(f).PublicKey
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Decode(text)
		checkOutcome(t, m, err)
		if err != nil {
			return
		}
		if m.Verify(key) == nil {
			t.Error("a card verifies under a key nobody used")
		}
		checkProblems(t, m.Check())
	})
}

// FuzzPayload reaches the claims and rules, which compressed texts hide from a fuzzer.
func FuzzPayload(f *testing.F) {
	f.Add([]byte(specimenPayload))
	f.Add([]byte(strings.Replace(specimenPayload, "Immunization", "Observation", 1)))
	f.Add([]byte(wrapBundle(`{"resourceType":"Bundle","entry":[null,1,{"resource":{"resourceType":"Patient","name":[null],"meta":{"security":[null]}}}]}`)))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > maxPayload {
			return
		}
		m := &Message{Payload: payload, KID: specimenKID}
		if err := m.setPayload(); err != nil {
			checkOutcome(t, nil, err)
			return
		}
		if m.Issuer == "" || m.NotBefore.Unix() <= 0 || m.NotBefore.Year() > 9999 {
			t.Errorf("incomplete claims %+v", m)
		}
		checkProblems(t, m.Check())
	})
}

func FuzzJoin(f *testing.F) {
	for _, text := range cut(unsigned(f, specimenHeader, specimenPayload), 3) {
		f.Add(text, strings.Replace(text, "/3/", "/2/", 1), "shc:/2/2/0001")
	}
	f.Add("shc:/1/2/5676", "shc:/2/2/7700", "")
	f.Fuzz(func(t *testing.T, first, second, third string) {
		texts := []string{first, second}
		if third != "" {
			texts = append(texts, third)
		}
		jws, err := Join(texts)
		if err != nil {
			checkOutcome(t, nil, err)
			return
		}
		again, err := Join([]string{second, first})
		if third == "" && (err != nil || again != jws) {
			t.Errorf("the order matters: %v", err)
		}
		if strings.ContainsFunc(jws, func(r rune) bool { return r < '-' || r > 'z' }) {
			t.Errorf("%q is not made of the characters a code can hold", jws)
		}
	})
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"verifiableCredential":["a.b.c","d.e.f"]}`))
	f.Add([]byte(`{"parameter":[{"name":"verifiableCredential","valueString":"a.b.c"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		cards, err := File(raw)
		if err != nil {
			checkOutcome(t, nil, err)
		} else if len(cards) == 0 || len(cards) > maxCards {
			t.Errorf("%d cards", len(cards))
		}
	})
}

func FuzzParseCRL(f *testing.F) {
	f.Add([]byte(crl("abc", "abd.1664492124")))
	f.Add([]byte(crl("abc", "abc")))
	f.Add([]byte(`{"kid":null,"method":"rid","ctr":1e2,"rids":[null]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := ParseCRL(raw)
		if err != nil {
			checkOutcome(t, nil, err)
			return
		}
		if list.Counter < 1 || len(list.KID) != kidLength {
			t.Errorf("incomplete list %+v", list)
		}
		for rid := range list.revoked {
			if rid == "" || len(rid) > maxRID || !isBase64URL(rid) {
				t.Errorf("id %q", rid)
			}
		}
	})
}

func FuzzCheckKeys(f *testing.F) {
	f.Add(keySetWith(f, nil))
	f.Add(keySetWith(f, map[string]any{"d": goodX, "x5c": []string{"AAAA"}}))
	f.Add([]byte(`{"keys":[null,{}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		keys, problems := CheckKeys(raw)
		if len(keys) == 0 && len(problems) == 0 {
			t.Error("neither a key nor a problem")
		}
		checkProblems(t, problems)
		for _, key := range keys {
			if key.Public == nil || len(key.KID) != kidLength {
				t.Errorf("incomplete key %+v", key)
			}
		}
	})
}

func checkOutcome(t *testing.T, m *Message, err error) {
	t.Helper()
	if err == nil {
		if m.KID == "" || m.Issuer == "" || len(m.SigningInput) == 0 || len(m.Payload) > maxPayload || m.Content == nil {
			t.Errorf("incomplete message: %+v", m)
		}
		return
	}
	var refused *Error
	if !asError(err, &refused) || refused.Reason == "" || refused.Detail == "" || m != nil {
		t.Errorf("not a proper refusal: %v", err)
	}
}

func checkProblems(t *testing.T, problems []Problem) {
	t.Helper()
	if len(problems) > maxProblems {
		t.Errorf("%d problems", len(problems))
	}
	for _, p := range problems {
		if p.Rule == "" || p.Detail == "" || p.Severity != SeverityError && p.Severity != SeverityWarning || !utf8.ValidString(p.Path) {
			t.Errorf("not a proper problem: %+v", p)
		}
	}
}
