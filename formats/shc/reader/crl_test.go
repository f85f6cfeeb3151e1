package reader

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func TestExampleCRL(t *testing.T) {
	t.Parallel()
	list, err := ParseCRL(vectors.Read(t, "shc", "spec-issuer", "crl-3Kfdg.json"))
	if err != nil {
		t.Fatal(err)
	}
	keys := exampleKeys(t)
	if err := list.CheckKey(keys[0]); err != nil || list.Len() != 4 {
		t.Errorf("%d ids, %v", list.Len(), err)
	}
	wantReason(t, list.CheckKey(keys[1]), ReasonInvalidCRL)
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	for name, c := range map[string]struct {
		rid  string
		nbf  time.Time
		want bool
	}{
		"always":           {"FKDIxsTCGlU", at(1 << 40), true},
		"always, new":      {"TqB_qu_6OtM", at(1), true},
		"before":           {"vwAjHdarZuc", at(1664492123), true},
		"at the moment":    {"vwAjHdarZuc", at(1664492124), false},
		"after":            {"XkNHp2Iyk0Y", at(1664492125), false},
		"not listed":       {"MKyCxh7p6uQ", at(1), false},
		"no rid":           {"", at(1), false},
		"with its seconds": {"vwAjHdarZuc.1664492124", at(1), false},
		"other case":       {"fkdixstcglu", at(1), false},
	} {
		if got := list.Revoked(c.rid, c.nbf); got != c.want {
			t.Errorf("%s: revoked is %v", name, got)
		}
	}
}

func crl(ids ...string) string {
	return fmt.Sprintf(`{"kid":"%s","method":"rid","ctr":2,"rids":["%s"]}`, specimenKID, strings.Join(ids, `","`))
}

func TestParseCRLRefuses(t *testing.T) {
	t.Parallel()
	good := crl("abc", "abd.1664492124")
	if _, err := ParseCRL([]byte(good)); err != nil {
		t.Fatal(err)
	}
	if list, err := ParseCRL([]byte(strings.Replace(good, `["abc","abd.1664492124"]`, `[]`, 1))); err != nil || list.Len() != 0 || list.Revoked("abc", time.Unix(1, 0)) {
		t.Errorf("empty list: %v", err)
	}
	with := func(old, replacement string) string { return strings.Replace(good, old, replacement, 1) }
	for name, raw := range map[string]string{
		"duplicate rid":       crl("abc", "abc"),
		"duplicate, timed":    crl("abc", "abc.1664492124"),
		"invalid method":      with(`"rid"`, `"hash"`),
		"too long rid":        crl(strings.Repeat("a", 25)),
		"non-base64url rid":   crl("ab+c"),
		"empty rid":           crl(""),
		"time alone":          crl(".1664492124"),
		"two dots":            crl("abc.1.2"),
		"milliseconds":        crl("abc.1664492124000"),
		"signed time":         crl("abc.+1664492124"),
		"negative time":       crl("abc.-5"),
		"no time":             crl("abc."),
		"letters as time":     crl("abc.12x"),
		"no kid":              with(`"kid"`, `"KID"`),
		"kid too short":       with(specimenKID, "abc"),
		"kid not base64url":   with(specimenKID, strings.Repeat("+", 43)),
		"no ctr":              with(`,"ctr":2`, ""),
		"ctr 0":               with(`"ctr":2`, `"ctr":0`),
		"ctr is text":         with(`"ctr":2`, `"ctr":"2"`),
		"no rids":             with(`"rids"`, `"ids"`),
		"rids null":           with(`["abc","abd.1664492124"]`, `null`),
		"rids holds a number": with(`"abc"`, `1`),
		"rids holds null":     with(`"abc"`, `null`),
		"repeated member":     with(`"ctr":2`, `"ctr":2,"ctr":3`),
		"no JSON":             good[:20],
		"list":                `[]`,
		"null":                `null`,
		"two values":          good + good,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list, err := ParseCRL([]byte(raw))
			wantReason(t, err, ReasonInvalidCRL)
			if list.Len() != 0 {
				t.Error("ids beside an error")
			}
		})
	}
}

func TestCRLVersionMismatch(t *testing.T) {
	t.Parallel()
	list, err := ParseCRL([]byte(crl("abc")))
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckKey(Key{KID: specimenKID, CRLVersion: 2}); err != nil {
		t.Error(err)
	}
	wantReason(t, list.CheckKey(Key{KID: specimenKID, CRLVersion: 3}), ReasonInvalidCRL)
	wantReason(t, list.CheckKey(Key{KID: specimenKID}), ReasonInvalidCRL)
}

// The cards whose lists are broken are themselves in order.
func TestCardsOfBadCRLs(t *testing.T) {
	t.Parallel()
	raw := fmt.Sprintf(`{"keys":[%s]}`, vectors.Read(t, "shc", "validation-sdk", "badcrl", "public.json"))
	keys, problems := CheckKeys([]byte(raw))
	if len(problems) > 0 || len(keys) != 1 || keys[0].CRLVersion != 1 {
		t.Fatalf("%d keys, %v", len(keys), problems)
	}
	for _, name := range []string{"duplicate-rid", "invalid-method", "non-base64url-rid", "too-long-rid", "version-mismatch"} {
		m, err := Decode(string(vectors.Read(t, "shc", "validation-sdk", "badcrl", name, "jws-crl-"+name+".txt")))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Verify(keys[0].Public); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if slices.ContainsFunc(m.Check(), func(p Problem) bool { return p.Severity == SeverityError }) {
			t.Errorf("%s: %v", name, m.Check())
		}
	}
}

func BenchmarkParseCRL(b *testing.B) {
	const ids = 100_000
	entries := make([]string, ids)
	for i := range entries {
		entries[i] = fmt.Sprintf("%011d", i)
	}
	raw := []byte(crl(entries...))
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := ParseCRL(raw); err != nil {
			b.Fatal(err)
		}
	}
}
