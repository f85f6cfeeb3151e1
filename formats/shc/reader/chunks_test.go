package reader

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeChunks(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	jws := signed(t, key, specimenHeader, specimenPayload)
	long := signed(t, key, specimenHeader, strings.Replace(specimenPayload, "Ada", "Ada "+b64(random(t, 1500)), 1))
	unbalanced := []string{"shc:/1/2/" + digitsOf(jws[:10]), "shc:/2/2/" + digitsOf(jws[10:])}
	for name, c := range map[string]struct {
		texts  []string
		chunks int
		want   []Rule
	}{
		"one code":       {[]string{"shc:/" + digitsOf(jws)}, 1, []Rule{}},
		"1 of 1":         {[]string{"shc:/1/1/" + digitsOf(jws)}, 1, []Rule{RuleSingleHeader}},
		"three":          {cut(long, 3), 3, []Rule{RuleTooLong, RuleChunksDeprecated}},
		"17, one fits":   {cut(jws, 17), 17, []Rule{RuleChunksDeprecated, RuleChunksUnnecessary}},
		"36":             {cut(jws, 36), 36, []Rule{RuleChunksDeprecated, RuleChunksUnnecessary}},
		"two unbalanced": {unbalanced, 2, []Rule{RuleChunksDeprecated, RuleChunksUnnecessary, RuleChunksUnbalanced}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slices.Reverse(c.texts) // any order
			m, err := DecodeChunks(c.texts)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(&key.PublicKey); err != nil || m.Chunks != c.chunks {
				t.Errorf("%d chunks, %v", m.Chunks, err)
			}
			if diff := cmp.Diff(c.want, rulesOf(m.Warnings)); diff != "" {
				t.Error(diff)
			}
			joined, err := Join(c.texts)
			if err != nil || !strings.HasPrefix(joined, string(m.SigningInput)+".") {
				t.Errorf("Join and DecodeChunks differ: %v", err)
			}
		})
	}
}

func TestDecodeChunksRefuses(t *testing.T) {
	t.Parallel()
	jws := unsigned(t, specimenHeader, specimenPayload)
	three := cut(jws, 3)
	tooBig := strings.Repeat("00", maxChunk+1)
	for name, c := range map[string]struct {
		texts []string
		want  Reason
	}{
		"none":                    {nil, ReasonInvalidChunks},
		"missing":                 {three[:2], ReasonInvalidChunks},
		"missing in the middle":   {[]string{three[0], three[2]}, ReasonInvalidChunks},
		"repeated":                {[]string{three[0], three[2], three[0]}, ReasonInvalidChunks},
		"one too many":            {append(slices.Clone(three), three[0]), ReasonInvalidChunks},
		"out of range":            {[]string{"shc:/3/2/" + digitsOf(jws), three[1]}, ReasonInvalidChunks},
		"other total":             {[]string{three[0], three[1], "shc:/3/4/0000"}, ReasonInvalidChunks},
		"whole code among others": {[]string{three[0], three[1], "shc:/" + digitsOf(jws)}, ReasonInvalidChunks},
		"too big":                 {[]string{"shc:/1/2/" + tooBig, "shc:/2/2/" + tooBig}, ReasonInvalidChunks},
		"37":                      {slices.Repeat(three[:1], 37), ReasonInvalidChunks},
		"total beyond 36":         {[]string{"shc:/1/37/0000", "shc:/2/37/0000"}, ReasonInvalidChunks},
		"no code":                 {[]string{three[0], three[1], jws}, ReasonNotSHC},
		"odd digits":              {[]string{three[0] + "1", three[1], three[2]}, ReasonInvalidNumeric},
		"space":                   {[]string{three[0] + " ", three[1], three[2]}, ReasonTrailingCharacters},
		"another card's code":     {[]string{three[0], three[1], "shc:/3/3/0000"}, ReasonInvalidJWS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeChunks(c.texts)
			wantReason(t, err, c.want)
			if _, err := Join(c.texts); err == nil && c.want != ReasonInvalidJWS {
				t.Error("Join accepts them")
			}
		})
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	many, err := json.Marshal(map[string][]string{"verifiableCredential": slices.Repeat([]string{"a"}, 65)})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  string
		want []string
	}{
		"two":        {`{"verifiableCredential":["a.b.c","d.e.f"]}`, []string{"a.b.c", "d.e.f"}},
		"line end":   {`{"other":1,"verifiableCredential":["a.b.c"]}` + "\r\n", []string{"a.b.c"}},
		"expanded":   {"{\n  \"verifiableCredential\": [\n \"a.b.c\" ] }", []string{"a.b.c"}},
		"parameters": {`{"resourceType":"Parameters","parameter":[{"name":"verifiableCredential","valueString":"a.b.c"},{"name":"resourceLink"}]}`, []string{"a.b.c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := File([]byte(c.raw))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, c := range map[string]struct {
		raw  string
		want Reason
	}{
		"empty": {"", ReasonInvalidFile}, "list": {`["a.b.c"]`, ReasonInvalidFile}, "no member": {`{}`, ReasonInvalidFile},
		"no card": {`{"verifiableCredential":[]}`, ReasonInvalidFile}, "numbers": {`{"verifiableCredential":[1]}`, ReasonInvalidFile},
		"text": {`{"verifiableCredential":"a.b.c"}`, ReasonInvalidFile}, "repeated": {`{"verifiableCredential":["a"],"verifiableCredential":["b"]}`, ReasonInvalidFile},
		"no card in parameters": {`{"parameter":[{"name":"x","valueString":"a"}]}`, ReasonInvalidFile},
		"space":                 {` {"verifiableCredential":["a.b.c"]}`, ReasonTrailingCharacters},
		"too many":              {string(many), ReasonInvalidFile},
		"too large":             {fmt.Sprintf(`{"verifiableCredential":["%s"]}`, strings.Repeat("a", maxFile)), ReasonInvalidFile},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := File([]byte(c.raw))
			wantReason(t, err, c.want)
		})
	}
}
