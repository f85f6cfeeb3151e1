package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// trustSite is a folder with the list of a neighbour, XA, a file of sources and ours.
type trustSite struct {
	dir      string
	csca     trusttest.Pair
	signer   trusttest.Signer
	document []byte // DID document of the neighbour
}

func ofNeighbour(c *x509.Certificate) { c.Subject.Country = []string{"XA"} }

// neighbourDID has no usage, so that its list holds CSCAs, too.
var neighbourDID = trust.DID{ID: "did:web:trust.example:v2:trustlist:DCC:XXA", Domain: "DCC", Participant: "XXA"}

func newTrustSite(t *testing.T) *trustSite {
	t.Helper()
	s := &trustSite{dir: t.TempDir()}
	now := time.Now().UTC().Truncate(time.Second)
	life := trusttest.Validity(now.AddDate(-1, 0, 0), now.AddDate(2, 0, 0))
	s.csca = trusttest.CSCA(t, ofNeighbour, life)
	s.signer = s.csca.ListSigner(t, ofNeighbour, life)
	s.document = s.did(t, 5)
	s.write(t, "did.json", s.document)
	s.describe(t, "48h", s.document)
	if err := os.Mkdir(s.path("foreign"), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

// did makes the neighbour's list with so many keys.
func (s *trustSite) did(t *testing.T, keys int) []byte {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	life := trusttest.Validity(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0))
	var listed []trust.PublicKey
	for range keys {
		listed = append(listed, s.csca.PublicKey(s.csca.DSC(t, ofNeighbour, life), trust.UsageVaccination, trust.StateActive))
	}
	claims := s.signer.Claims(now, listed...)
	claims.Country = "XA"
	statement, err := trust.NewStatement(claims)
	if err != nil {
		t.Fatal(err)
	}
	document, err := trust.SignDID(t.Context(), statement, neighbourDID, s.signer)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func (s *trustSite) path(name string) string { return filepath.Join(s.dir, name) }

func (s *trustSite) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(s.path(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// describe writes a file of sources that believes these documents.
func (s *trustSite) describe(t *testing.T, maxAge string, documents ...[]byte) {
	t.Helper()
	var digests []string
	for _, document := range documents {
		sum := sha256.Sum256(document)
		digests = append(digests, hex.EncodeToString(sum[:]))
	}
	raw, err := json.Marshal(map[string]any{"sources": []any{
		map[string]any{"name": "neighbour", "format": "did", "digests": digests, "maxAge": maxAge},
	}})
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "sources.json", raw)
}

// run runs the tool and gives exit code, output and errors.
func (s *trustSite) run(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(streams{t.Context(), bytes.NewReader(s.document), &stdout, &stderr}, args)
	return code, stdout.String(), stderr.String()
}

func (s *trustSite) importing(document string, more ...string) []string {
	return append([]string{"trust", "import", s.path("sources.json"), "neighbour", document, "--dir", s.path("foreign")}, more...)
}

func (s *trustSite) status(more ...string) []string {
	return append([]string{"trust", "status", s.path("sources.json"), "--dir", s.path("foreign")}, more...)
}

func TestTrustImport(t *testing.T) {
	t.Parallel()
	s := newTrustSite(t)
	if code, out, _ := s.run(t, s.status()...); code != 1 || !strings.Contains(out, "STALE neighbour") || !strings.Contains(out, "never") {
		t.Errorf("status before: %d %s", code, out)
	}
	inspect := []string{"trust", "inspect", s.path("sources.json"), "neighbour", "-"}
	if code, out, _ := s.run(t, inspect...); code != 0 || !strings.Contains(out, "5 of document signers, 1 of CSCAs") || !strings.Contains(out, "XA") {
		t.Errorf("inspect: %d %s", code, out)
	}
	if code, _, _ := s.run(t, s.status()...); code != 1 {
		t.Error("to inspect a list has imported it")
	}
	code, out, _ := s.run(t, s.importing(s.path("did.json"), "--json")...)
	var report importReport
	sum := sha256.Sum256(s.document)
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || !report.Accepted || report.Entries != 5 ||
		report.SHA256 != hex.EncodeToString(sum[:]) || len(report.Countries) != 1 || report.Countries[0] != "XA" {
		t.Fatalf("import: %d %v %s", code, err, out)
	}
	if code, out, _ := s.run(t, s.status("--json")...); code != 0 || !strings.Contains(out, `"fresh": true`) || !strings.Contains(out, `"entries": 5`) {
		t.Errorf("status after: %d %s", code, out)
	}
}

// What is refused changes nothing, whatever was asked.
func TestTrustImportRefuses(t *testing.T) {
	t.Parallel()
	s := newTrustSite(t)
	if code, out, _ := s.run(t, s.importing("-")...); code != 0 {
		t.Fatal(out)
	}
	short := s.did(t, 3)
	s.write(t, "short.json", short)
	s.write(t, "other.json", s.did(t, 6))
	s.describe(t, "48h", s.document, short)
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"not the digest":        {s.importing(s.path("other.json")), 1, "foreign-list-authenticity"},
		"not the digest, JSON":  {s.importing(s.path("other.json"), "--json"), 1, `"code": "foreign-list-authenticity"`},
		"not the digest, look":  {[]string{"trust", "inspect", s.path("sources.json"), "neighbour", s.path("other.json")}, 1, "REFUSED"},
		"much shorter":          {s.importing(s.path("short.json")), 1, "foreign-list-shrink"},
		"no document":           {s.importing(s.path("absent.json")), 2, "absent.json"},
		"no such source":        {[]string{"trust", "import", s.path("sources.json"), "elsewhere", "-", "--dir", s.path("foreign")}, 2, "neighbour"},
		"no such source, look":  {[]string{"trust", "inspect", s.path("sources.json"), "elsewhere", "-"}, 2, "neighbour"},
		"no folder":             {[]string{"trust", "import", s.path("sources.json"), "neighbour", "-", "--dir", s.path("nowhere")}, 2, "not a folder"},
		"a file for a folder":   {[]string{"trust", "status", s.path("sources.json"), "--dir", s.path("did.json")}, 2, "not a folder"},
		"no sources":            {[]string{"trust", "status", s.path("absent"), "--dir", s.path("foreign")}, 2, "absent"},
		"folder is not named":   {[]string{"trust", "status", s.path("sources.json")}, 2, "--dir"},
		"a list for sources":    {[]string{"trust", "inspect", s.path("did.json"), "neighbour", "-"}, 2, "setting"},
		"foreign without dir":   {[]string{"verify", "HC1:X", "--foreign-sources", s.path("sources.json")}, 2, "--foreign-dir"},
		"nobody is trusted":     {[]string{"verify", "HC1:X"}, 2, "--trust"},
		"signed list, no CSCA":  {[]string{"trust", "show", "-", "--anchor", s.path("absent")}, 2, "trustlist.jws"},
		"not a list":            {[]string{"trust", "show", "-"}, 2, "trust-list-json"},
		"not a list, of others": {[]string{"trust", "show", s.path("sources.json")}, 2, "trust-list-json"},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // the folder is looked at afterwards
			code, stdout, stderr := s.run(t, test.args...)
			if code != test.code || !strings.Contains(stdout+stderr, test.want) {
				t.Errorf("exit %d, want %d with %s:\n%s%s", code, test.code, test.want, stdout, stderr)
			}
		})
	}
	if code, out, _ := s.run(t, s.status()...); code != 0 || !strings.Contains(out, "5 of document signers") {
		t.Errorf("the good list is gone: %d %s", code, out)
	}
	if code, out, _ := s.run(t, s.importing(s.path("short.json"), "--allow-shrink")...); code != 0 {
		t.Errorf("allowed: %d %s", code, out)
	}
}

// A list in the folder that the file of sources no longer believes is not used.
func TestTrustStatusChecksAgain(t *testing.T) {
	t.Parallel()
	s := newTrustSite(t)
	if code, out, _ := s.run(t, s.importing("-")...); code != 0 {
		t.Fatal(out)
	}
	s.describe(t, "48h", []byte("another document"))
	if code, out, _ := s.run(t, s.status()...); code != 1 || !strings.Contains(out, "foreign-list-authenticity") {
		t.Errorf("%d %s", code, out)
	}
	s.describe(t, "1ns", s.document)
	if code, out, _ := s.run(t, s.status()...); code != 1 || !strings.Contains(out, "STALE") {
		t.Errorf("%d %s", code, out)
	}
}

// statement writes the signed and the unsigned form and the anchor.
func (s *trustSite) statement(t *testing.T, issued time.Time, keys ...trust.PublicKey) {
	t.Helper()
	claims := s.signer.Claims(issued, keys...)
	claims.Country = "XA"
	list, err := trust.NewStatement(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := trust.SignStatement(t.Context(), list, s.signer)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := list.Encode()
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "trustlist.jws", append(signed, '\n'))
	s.write(t, "trustlist.json", plain)
	s.write(t, "csca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.csca.Cert.Raw}))
}

func TestTrustShow(t *testing.T) {
	t.Parallel()
	s := newTrustSite(t)
	now := time.Now().UTC().Truncate(time.Second)
	life := trusttest.Validity(now.AddDate(0, -1, 0), now.AddDate(1, 0, 0))
	key := func(state trust.State) trust.PublicKey {
		return s.csca.PublicKey(s.csca.DSC(t, ofNeighbour, life), trust.UsageTest, state)
	}
	s.statement(t, now, key(trust.StateVerifyOnly), key(trust.StateRevoked))
	stranger := trusttest.CSCA(t)
	s.write(t, "stranger.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: stranger.Cert.Raw}))
	anchored := []string{"trust", "show", s.path("trustlist.jws"), "--anchor", s.path("csca.pem")}
	for name, test := range map[string]struct {
		args []string
		code int
		want []string
	}{
		"signed":          {anchored, 0, []string{"GENUINE: signed by", "country    XA", "active key", "verify-only key", "REVOKED key", "CSCA", "holds to"}},
		"signed, JSON":    {append(anchored, "--json"), 0, []string{`"verified": true`, `"signerKid"`, `"state": "verify-only"`, `"revoked": [`}},
		"unsigned":        {[]string{"trust", "show", s.path("trustlist.json")}, 0, []string{"NOT SIGNED", "verify-only key"}},
		"unsigned, JSON":  {[]string{"trust", "show", s.path("trustlist.json"), "--json"}, 0, []string{`"verified": false`}},
		"another anchor":  {[]string{"trust", "show", s.path("trustlist.jws"), "--anchor", s.path("stranger.pem")}, 1, []string{"trust-statement-anchor"}},
		"too late":        {append(anchored, "--at", now.AddDate(0, 0, 2).Format(time.RFC3339)), 1, []string{"trust-statement-expired"}},
		"no anchor":       {[]string{"trust", "show", s.path("trustlist.jws")}, 2, []string{"--anchor"}},
		"anchor for JSON": {[]string{"trust", "show", s.path("trustlist.json"), "--anchor", s.path("csca.pem")}, 2, []string{"no signature"}},
		"anchor is absent": {
			[]string{"trust", "show", s.path("trustlist.jws"), "--anchor", s.path("absent.pem")}, 2, []string{"absent.pem"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := s.run(t, test.args...)
			if code != test.code {
				t.Fatalf("exit %d, want %d:\n%s%s", code, test.code, stdout, stderr)
			}
			for _, part := range test.want {
				if !strings.Contains(stdout+stderr, part) {
					t.Errorf("no %q in\n%s%s", part, stdout, stderr)
				}
			}
			if code != 0 && stdout != "" {
				t.Errorf("what could not be checked is shown:\n%s", stdout)
			}
		})
	}
}

// What we revoked stays revoked, whoever still lists it; a key of both lists is ours.
func TestMergeLists(t *testing.T) {
	t.Parallel()
	csca, stranger := trusttest.CSCA(t), trusttest.CSCA(t, ofNeighbour)
	ours, revoked, both := csca.DSC(t), csca.DSC(t), csca.DSC(t)
	theirs, direct := stranger.DSC(t, ofNeighbour), stranger.DSC(t, ofNeighbour)
	own := trust.TrustList{
		List:    trusttest.List(t, csca.Entry(ours), csca.Entry(both, trust.UsageDocument)),
		Revoked: []trust.RevokedKey{{Thumbprint: sha256.Sum256(revoked.Cert.Raw)}},
	}
	others, refusals := trust.NewList([]trust.Entry{
		csca.Entry(revoked), csca.Entry(both, trust.UsageTest), stranger.Entry(theirs), {KID: trust.KID(direct.Cert), DSC: direct.Cert},
	}, trust.Options{DirectTrust: true})
	if len(refusals) > 0 {
		t.Fatal(refusals)
	}
	merged, err := mergeLists(own, others)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key  trusttest.Pair
		want int
	}{"ours": {ours, 1}, "revoked": {revoked, 0}, "both": {both, 1}, "theirs": {theirs, 1}, "directly trusted": {direct, 1}} {
		if got := merged.Lookup(trust.KID(test.key.Cert)); len(got) != test.want {
			t.Errorf("%s: %d entries", name, len(got))
		}
	}
	if got := merged.Lookup(trust.KID(both.Cert)); !got[0].Allows(trust.UsageDocument) || got[0].Allows(trust.UsageTest) {
		t.Errorf("a key of both lists may sign %v", got[0].Usages)
	}
	if merged, err := mergeLists(trust.TrustList{}, others); err != nil || len(merged.Entries()) != 4 {
		t.Errorf("no own list: %v", err)
	}
}
