package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/trust/revocation/revocationtest"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// Every way in which a card comes: text, file, picture, several codes, several cards.
func TestVerifyCards(t *testing.T) {
	t.Parallel()
	s := newVerifySite(t)
	jws, _ := s.card(t, s.cards, "")
	stranger, _ := s.card(t, trusttest.CSCA(t), "")
	chunks := codes(jws, 3)
	single, err := shc.Text(jws)
	if err != nil {
		t.Fatal(err)
	}
	symbol, err := qr.Encode(single, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := symbol.PNG(qr.DefaultScale, qr.DefaultQuiet)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "card.png", picture)
	s.write(t, "card.txt", []byte(single+"\n"))
	s.write(t, "codes.txt", []byte(strings.Join(chunks, "\r\n")+"\n"))
	s.write(t, "one.txt", []byte(chunks[1]))
	file := func(cards ...string) []byte {
		raw, err := json.Marshal(map[string]any{"verifiableCredential": cards})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	s.write(t, "one.smart-health-card", file(jws))
	s.write(t, "two.smart-health-card", file(jws, jws))
	s.write(t, "mixed.smart-health-card", file(jws, stranger))
	s.write(t, "none.smart-health-card", file())
	for name, test := range map[string]struct {
		args  []string
		code  int
		valid int // how often it says so
	}{
		"JWS":              {[]string{jws}, 0, 1},
		"text":             {[]string{single}, 0, 1},
		"file":             {[]string{s.path("card.txt")}, 0, 1},
		"picture":          {[]string{s.path("card.png")}, 0, 1},
		"codes":            {[]string{chunks[2], s.path("one.txt"), chunks[0]}, 0, 1},
		"codes in a file":  {[]string{s.path("codes.txt")}, 0, 1},
		"code missing":     {chunks[:2], 1, 0},
		"card":             {[]string{s.path("one.smart-health-card")}, 0, 1},
		"two cards":        {[]string{s.path("two.smart-health-card")}, 0, 2},
		"a stranger":       {[]string{stranger}, 1, 0},
		"one is not valid": {[]string{s.path("mixed.smart-health-card")}, 1, 1},
		"no card":          {[]string{s.path("none.smart-health-card")}, 2, 0},
		"two of a kind":    {[]string{s.path("two.smart-health-card"), chunks[0]}, 2, 0},
		"no such file":     {[]string{s.path("absent")}, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"verify", "--trust", s.path("trustlist.json")}, test.args...)
			code, out, errs := s.run(t, args...)
			if code != test.code || strings.Count("\n"+out, "\nVALID (verified)") != test.valid {
				t.Errorf("exit %d: %s%s", code, out, errs)
			}
		})
	}
	code, out, _ := s.run(t, "verify", "--json", "--trust", s.path("trustlist.json"), s.path("mixed.smart-health-card"))
	var results []verification.Result
	if err := json.Unmarshal([]byte(out), &results); err != nil || code != 1 || len(results) != 2 || !results[0].Valid || results[1].Reason != verification.ReasonUnknownKey {
		t.Errorf("%d, %v: %s", code, err, out)
	}
	if code, _, errs := s.run(t, "verify", "--trust", s.path("trustlist.json"), jws); code != 0 || errs != "" {
		t.Errorf("%d: %s", code, errs)
	}
}

// The copy of the lists decides, says when it is old, and is believed only if the list signs it.
func TestVerifyRevocations(t *testing.T) {
	t.Parallel()
	s := newVerifySite(t)
	good, _ := s.card(t, s.cards, "Z29vZA")
	byRID, _ := s.card(t, s.cards, "cmV2b2tlZA")
	bySignature, signature := s.card(t, s.cards, "")
	kid := kidOf(t, s.cards)
	entries := []revocation.Entry{
		{Format: revocation.FormatSHC, SHCKID: kid, RID: "cmV2b2tlZA", RevokedAt: s.now},
		{Format: revocation.FormatSHC, SHCKID: kid, Signature: revocation.SignatureHash("ES256", signature), RevokedAt: s.now},
	}
	publish := func(name string, signer trusttest.Signer, at time.Time, exact bool) {
		if err := os.CopyFS(s.path(name), revocationtest.Copy(t, signer, at, exact, entries...)); err != nil {
			t.Fatal(err)
		}
	}
	stranger := trusttest.CSCA(t, trusttest.Validity(s.now.AddDate(-1, 0, 0), s.now.AddDate(1, 0, 0)))
	publish("exact", s.lists, s.now, true)
	publish("filter", s.lists, s.now, false)
	publish("old", s.lists, s.now.AddDate(0, 0, -2), true)
	publish("forged", stranger.ListSigner(t, trusttest.Validity(s.now.AddDate(-1, 0, 0), s.now.AddDate(1, 0, 0))), s.now, true)
	for name, test := range map[string]struct {
		dir, card string
		code      int
		want      []string // all that is said about it
	}{
		"good":            {"exact", good, 0, []string{"VALID (verified)"}},
		"by its id":       {"exact", byRID, 1, []string{"NOT VALID (revoked)"}},
		"by signature":    {"exact", bySignature, 1, []string{"NOT VALID (revoked)"}},
		"filter, good":    {"filter", good, 0, []string{"VALID (verified)"}},
		"filter, revoked": {"filter", byRID, 1, []string{"NOT VALID (revoked)", "revocation_unconfirmed"}},
		"old, good":       {"old", good, 0, []string{"VALID (verified)", "revocation_stale", "should have been fetched"}},
		"old, revoked":    {"old", byRID, 1, []string{"NOT VALID (revoked)"}},
		"forged":          {"forged", good, 2, []string{"revocation-manifest-signature"}},
		"absent":          {"absent", good, 2, []string{"cannot be used"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := s.run(t, "verify", "--trust", s.path("trustlist.json"), "--revocations", s.path(test.dir), test.card)
			if code != test.code {
				t.Errorf("exit %d: %s%s", code, out, errs)
			}
			for _, part := range test.want {
				if !strings.Contains(out+errs, part) {
					t.Errorf("no %q: %s%s", part, out, errs)
				}
			}
			if strings.Contains(out, "revocation_unknown") {
				t.Error("the lists were not asked")
			}
		})
	}
	if code, _, errs := s.run(t, "verify", "--revocations", s.path("exact"), "--foreign-sources", s.path("sources.json"), "--foreign-dir", s.path("foreign"), good); code != 2 || !strings.Contains(errs, "--trust") {
		t.Errorf("without own list: %d %s", code, errs)
	}
}

// A key of a registry is believed for its issuer, unless our own list has the issuer's keys.
func TestVerifyWithRegistry(t *testing.T) {
	t.Parallel()
	s := newVerifySite(t)
	key := trusttest.CSCA(t)
	der, err := x509.MarshalPKIXPublicKey(key.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	row := strings.Join([]string{"SHC", s.issuer + "#" + kidOf(t, key), "current", "", "", "2021-01-01T00:00:00Z", "", base64.StdEncoding.EncodeToString(der)}, ",") + "\n"
	digest := sha256.Sum256([]byte(row))
	sources, err := json.Marshal(map[string]any{"sources": []any{
		map[string]any{"name": "registry", "format": "pathcheck", "digests": []string{hex.EncodeToString(digest[:])}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "sources.json", sources)
	s.write(t, "registry.csv", []byte(row))
	if code, out, errs := s.run(t, "trust", "import", s.path("sources.json"), "registry", s.path("registry.csv"), "--dir", s.path("foreign")); code != 0 {
		t.Fatal(out, errs)
	}
	jws, _ := s.card(t, key, "")
	foreign := []string{"verify", jws, "--foreign-sources", s.path("sources.json"), "--foreign-dir", s.path("foreign")}
	if code, out, errs := s.run(t, foreign...); code != 0 || !strings.Contains(out, "of a registry") {
		t.Errorf("%d: %s%s", code, out, errs)
	}
	if code, out, _ := s.run(t, append(foreign, "--trust", s.path("trustlist.json"))...); code != 1 || !strings.Contains(out, "unknown_key") {
		t.Errorf("an issuer of ours: %d: %s", code, out)
	}
}
