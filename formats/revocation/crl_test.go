package revocation_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

func TestCRLOfTheSpecification(t *testing.T) {
	t.Parallel()
	raw := mustRead(t, vectors.Path(t, "shc", "spec-issuer", "crl-3Kfdg.json"))
	var published struct {
		KID  string   `json:"kid"`
		CTR  uint64   `json:"ctr"`
		RIDs []string `json:"rids"`
	}
	must(t, json.Unmarshal(raw, &published))
	got, err := revocation.EncodeCRL(published.KID, published.CTR, published.RIDs)
	must(t, err)
	var want bytes.Buffer
	must(t, json.Compact(&want, raw))
	for _, rid := range published.RIDs { // ours are sorted, theirs are not
		if !bytes.Contains(got, []byte(`"`+rid+`"`)) {
			t.Errorf("an id is missing: %s", got)
		}
	}
	if len(got) != want.Len() || !bytes.HasPrefix(got, []byte(`{"kid":"3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s","method":"rid","ctr":1,"rids":["FKDIxsTCGlU","TqB_qu_6OtM",`)) {
		t.Errorf("%s", got)
	}
}

// TestCRLsThatTheSDKRefuses: we cannot write them.
func TestCRLsThatTheSDKRefuses(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"duplicate-rid", "non-base64url-rid", "too-long-rid"} {
		const kid = "hrvC0uzB16UXK83BnPo7Glg685b1D6iYOyJd5hpRaAA"
		raw := mustRead(t, vectors.Path(t, "shc", "validation-sdk", "badcrl", name, ".well-known", "crl", kid+".json"))
		var bad struct {
			RIDs []string `json:"rids"`
		}
		must(t, json.Unmarshal(raw, &bad))
		got, err := revocation.EncodeCRL(kid, 1, bad.RIDs)
		if name == "duplicate-rid" {
			if want := `["XkNHp2Iyk0Y","vwAjHdarZuc.1638311286"]`; err != nil || !strings.HasSuffix(string(got), want+"}") {
				t.Errorf("%s, %v", got, err)
			}
		} else if err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestCRL(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		rids []string
		want string
	}{
		"none":           {nil, `[]`},
		"latest time":    {[]string{"a.5", "a.7", "a.6"}, `["a.7"]`},
		"always first":   {[]string{"a", "a.7"}, `["a"]`},
		"always last":    {[]string{"a.7", "a", "a.9"}, `["a"]`},
		"several, order": {[]string{"b", "a.1", "-", "b"}, `["-","a.1","b"]`},
	} {
		got, err := revocation.EncodeCRL(thumbprint, 3, tc.rids)
		if want := `{"kid":"` + thumbprint + `","method":"rid","ctr":3,"rids":` + tc.want + "}"; err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for name, err := range map[string]error{
		"kid": second(revocation.EncodeCRL("x", 1, nil)), "counter": second(revocation.EncodeCRL(thumbprint, 0, nil)), "large counter": second(revocation.EncodeCRL(thumbprint, 1<<53, nil)),
		"empty id": second(revocation.EncodeCRL(thumbprint, 1, []string{""})), "no time": second(revocation.EncodeCRL(thumbprint, 1, []string{"a."})), "zero time": second(revocation.EncodeCRL(thumbprint, 1, []string{"a.0"})), "sign": second(revocation.EncodeCRL(thumbprint, 1, []string{"a.-1"})),
	} {
		if err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

func second(_ []byte, err error) error { return err }

func TestWHOList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var keys []revocation.WHOKey
		for i := range rapid.IntRange(0, 5).Draw(r, "keys") {
			from := rapid.IntRange(0, 1<<20).Draw(r, "from")
			keys = append(keys, revocation.WHOKey{KID: revocation.KID{byte(i)}, Hashes: sorted(hashesOf(from, from+rapid.IntRange(1, 50).Draw(r, "hashes")))})
		}
		var out bytes.Buffer
		if err := revocation.EncodeWHO(&out, "XX", slices.Values(keys)); err != nil {
			r.Fatal(err)
		}
		list, err := revocation.ParseWHO(out.Bytes())
		if err != nil || list.Country != "XX" || fmt.Sprint(list.Keys) != fmt.Sprint(keys) {
			r.Fatalf("%v: %s", err, out.Bytes())
		}
	})
	const text = `{"version":1,"country":"XX","hashType":"SIGNATURE","keys":[{"kid":"AQIDBAUGBwg=","hashes":["J7bCHETd+7jgcjn6CpElEA=="]}]}`
	if _, err := revocation.ParseWHO([]byte(text)); err != nil {
		t.Error(err)
	}
	key := text[strings.Index(text, `{"kid"`) : len(text)-2]
	for name, bad := range map[string]string{
		"version": strings.Replace(text, ":1,", ":2,", 1), "country": strings.Replace(text, "XX", "X", 1), "type": strings.Replace(text, "SIGNATURE", "UCI", 1),
		"kid": strings.Replace(text, "AQIDBAUGBwg=", "AQIDBAUGBwg", 1), "hash": strings.Replace(text, "ElEA==", "ElEB==", 1), "no hashes": strings.Replace(text, `"J7bCHETd+7jgcjn6CpElEA=="`, "", 1),
		"key twice": strings.Replace(text, key, key+","+key, 1), "hash twice": strings.Replace(text, `"J7bCHETd+7jgcjn6CpElEA=="`, `"J7bCHETd+7jgcjn6CpElEA==","J7bCHETd+7jgcjn6CpElEA=="`, 1),
		"unknown": strings.Replace(text, `"country"`, `"x":1,"country"`, 1), "no keys": `{"version":1,"country":"XX","hashType":"SIGNATURE"}`, "empty": "",
	} {
		if _, err := revocation.ParseWHO([]byte(bad)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	one := revocation.WHOKey{KID: revocation.KID{1}, Hashes: hashesOf(0, 1)}
	for name, keys := range map[string][]revocation.WHOKey{
		"twice": {one, one}, "order": {{KID: revocation.KID{2}, Hashes: one.Hashes}, one}, "empty": {{KID: revocation.KID{1}}}, "unsorted": {{Hashes: []revocation.Hash{{2}, {1}}}},
	} {
		if err := revocation.EncodeWHO(&bytes.Buffer{}, "XX", slices.Values(keys)); err == nil {
			t.Errorf("%s is written", name)
		}
	}
}

func FuzzParseWHO(f *testing.F) {
	f.Add([]byte(`{"version":1,"country":"XX","hashType":"SIGNATURE","keys":[{"kid":"AQIDBAUGBwg=","hashes":["J7bCHETd+7jgcjn6CpElEA=="]}]}`))
	f.Add([]byte(`{"version":1,"country":"XX","hashType":"SIGNATURE","keys":[]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := revocation.ParseWHO(raw)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := revocation.EncodeWHO(&out, list.Country, slices.Values(list.Keys)); err != nil {
			t.Fatal(err)
		}
		if again, err := revocation.ParseWHO(out.Bytes()); err != nil || fmt.Sprint(again) != fmt.Sprint(list) {
			t.Errorf("read differently: %v", err)
		}
	})
}
