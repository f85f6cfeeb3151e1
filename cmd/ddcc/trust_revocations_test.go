package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/revocation/revocationtest"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// listServer publishes files that a test swaps.
type listServer struct {
	*httptest.Server
	mu    sync.Mutex
	files fstest.MapFS
	asked []string
}

func newListServer(t *testing.T, files fstest.MapFS) *listServer {
	t.Helper()
	s := &listServer{files: files}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, strings.TrimPrefix(r.URL.Path, listsRoute)+" "+r.Header.Get("Range"))
		if s.files == nil {
			http.Error(w, "", http.StatusServiceUnavailable)
			return
		}
		http.StripPrefix(listsRoute, http.FileServerFS(s.files)).ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// serve swaps what is published and forgets what was asked.
func (s *listServer) serve(files fstest.MapFS) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files, s.asked = files, nil
}

// revocationSite is a site with two revoked cards: one by its id, one by its signature.
type revocationSite struct {
	verifySite
	bySignature, good string
	entries           []revocation.Entry
}

func newRevocationSite(t *testing.T) revocationSite {
	t.Helper()
	s := revocationSite{verifySite: newVerifySite(t)}
	var signature []byte
	s.bySignature, signature = s.card(t, s.cards, "")
	s.good, _ = s.card(t, s.cards, "")
	s.entries = []revocation.Entry{
		{Format: revocation.FormatSHC, SHCKID: kidOf(t, s.cards), RID: "cmV2b2tlZA", RevokedAt: s.now},
		{Format: revocation.FormatSHC, SHCKID: kidOf(t, s.cards), Signature: revocation.SignatureHash("ES256", signature), RevokedAt: s.now},
	}
	return s
}

// publication is what a gateway serves that signed at an instant.
func (s revocationSite) publication(t *testing.T, at time.Time, entries ...revocation.Entry) fstest.MapFS {
	t.Helper()
	return revocationtest.Copy(t, s.lists, at, true, entries...)
}

func (s revocationSite) fetch(t *testing.T, server *listServer, more ...string) (int, revocationCopy, string) {
	t.Helper()
	args := append([]string{"trust", "revocations", "--gateway", server.URL, "--trust", s.path("trustlist.json"), "--out", s.path("lists"), "--json"}, more...)
	code, out, errs := s.run(t, args...)
	var r revocationCopy
	if code == 0 {
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return code, r, errs
}

// kept are the files in the folder, but those on their way.
func (s revocationSite) kept(t *testing.T) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	err := filepath.WalkDir(s.path("lists"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(s.path("lists"), path)
		found[filepath.ToSlash(name)] = raw
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isSlice(name string) bool { return strings.HasPrefix(name, "slices/") }

func TestTrustRevocations(t *testing.T) {
	t.Parallel()
	s := newRevocationSite(t)
	files := s.publication(t, s.now, s.entries...)
	server := newListServer(t, files)
	code, r, errs := s.fetch(t, server)
	if code != 0 || !r.Fresh || r.Revocations != 2 || r.Country != "XX" || r.Files == 0 || errs != "" {
		t.Fatalf("exit %d, %+v: %s", code, r, errs)
	}
	for name, file := range files {
		if got, ok := s.kept(t)[name]; ok == isSlice(name) || ok && !bytes.Equal(got, file.Data) {
			t.Errorf("%s: kept %v, or another", name, ok)
		}
	}
	if _, r, _ := s.fetch(t, server); r.Files != 0 || r.Bytes != 0 {
		t.Errorf("fetched again: %+v", r)
	}
	if code, r, errs := s.fetch(t, server, "--confirm", s.bySignature, "--confirm", s.good); code != 0 || r.Files != 1 {
		t.Errorf("exit %d, %d slices: %s", code, r.Files, errs)
	}
	if code, out, _ := s.run(t, "verify", "--trust", s.path("trustlist.json"), "--revocations", s.path("lists"), s.bySignature); code != 1 || strings.Contains(out, "unconfirmed") {
		t.Errorf("%d %s", code, out)
	}
	if code, r, errs := s.fetch(t, server, "--slices"); code != 0 || r.Files != 255 || len(s.kept(t)) != len(files) {
		t.Errorf("exit %d, %d of 255 more slices, %d files: %s", code, r.Files, len(s.kept(t)), errs)
	}
	server.serve(s.publication(t, s.now.Add(time.Second)))
	if code, _, errs := s.fetch(t, server); code != 0 {
		t.Errorf("exit %d: %s", code, errs)
	}
	if left := slices.Collect(maps.Keys(s.kept(t))); len(left) != 1 || left[0] != manifestName {
		t.Errorf("left of the lists that are gone: %v", left)
	}
}

// TestTrustRevocationsGoOn: what came before it broke off is not asked for again.
func TestTrustRevocationsGoOn(t *testing.T) {
	t.Parallel()
	s := newRevocationSite(t)
	files := s.publication(t, s.now, s.entries...)
	server := newListServer(t, files)
	var name string
	for n := range files {
		if strings.HasPrefix(n, "filter/") {
			name = n
		}
	}
	if err := os.MkdirAll(s.path("lists/"+partialDir), 0o700); err != nil {
		t.Fatal(err)
	}
	raw := files[name].Data
	digest := func() string {
		s.write(t, "whole", raw)
		sum, _, err := digestOf(s.path("whole"))
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}()
	s.write(t, "lists/"+partialDir+"/"+digest, raw) // it was whole, and not yet in its place
	if code, _, errs := s.fetch(t, server); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if slices.ContainsFunc(server.asked, func(asked string) bool { return strings.HasPrefix(asked, name) }) {
		t.Errorf("asked for what was there: %v", server.asked)
	}
	if !bytes.Equal(s.kept(t)[name], raw) {
		t.Error("the filter is another")
	}
}

// TestTrustRevocationsRefused: whatever a server does, a folder that is good stays so.
func TestTrustRevocationsRefused(t *testing.T) {
	t.Parallel()
	s := newRevocationSite(t)
	newer, older := s.publication(t, s.now, s.entries...), s.publication(t, s.now.Add(-time.Hour), s.entries[:1]...)
	next := s.publication(t, s.now.Add(time.Minute), s.entries[1:]...)
	stranger := trusttest.CSCA(t, trusttest.Validity(s.now.AddDate(-1, 0, 0), s.now.AddDate(1, 0, 0))).
		ListSigner(t, trusttest.Validity(s.now.AddDate(-1, 0, 0), s.now.AddDate(1, 0, 0)))
	server := newListServer(t, newer)
	if code, _, errs := s.fetch(t, server); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	before := s.kept(t)
	for name, test := range map[string]struct {
		files fstest.MapFS
		more  []string
		want  string
	}{
		"older":             {files: older, want: "revocation-sequence"},
		"forged":            {files: revocationtest.Copy(t, stranger, s.now.Add(time.Minute), true), want: "revocation-manifest-signature"},
		"changed filter":    {files: altered(next, "filter/", spoiled), want: "revocation-changing"},
		"shortened filter":  {files: altered(next, "filter/", shortened), want: "revocation-changing"},
		"changed slice":     {files: altered(newer, "slices/", spoiled), more: []string{"--slices"}, want: "revocation-changing"},
		"no manifest":       {files: fstest.MapFS{}, want: "revocation-fetch"},
		"unavailable":       {want: "revocation-fetch"},
		"some other thing":  {files: fstest.MapFS{manifestName: {Data: []byte("<html>")}}, want: "revocation-manifest-form"},
		"a whole lot of it": {files: fstest.MapFS{manifestName: {Data: bytes.Repeat([]byte("a"), maxManifest+2)}}, want: "revocation-manifest-form"},
	} {
		server.serve(test.files)
		if code, _, errs := s.fetch(t, server, test.more...); code != 1 || !strings.Contains(errs, test.want) {
			t.Errorf("%s: exit %d, want %s: %s", name, code, test.want, errs)
		}
		for kept, raw := range before {
			if !bytes.Equal(s.kept(t)[kept], raw) {
				t.Errorf("%s: %s has changed", name, kept)
			}
		}
	}
	for name, args := range map[string][]string{
		"no such trust list": {"--trust", s.path("absent.json")}, "no such CA": {"--ca", s.path("absent.pem")}, "no CA": {"--ca", s.path("trustlist.json")},
	} {
		if code, _, errs := s.fetch(t, server, args...); code != 2 {
			t.Errorf("%s: exit %d: %s", name, code, errs)
		}
	}
}

// TestTrustRevocationsOld: old lists are better than none, and said to be old.
func TestTrustRevocationsOld(t *testing.T) {
	t.Parallel()
	s := newRevocationSite(t)
	server := newListServer(t, s.publication(t, s.now.AddDate(0, 0, -2), s.entries...))
	if code, r, errs := s.fetch(t, server); code != 0 || r.Fresh || !strings.Contains(errs, "old lists") {
		t.Errorf("exit %d, %+v: %s", code, r, errs)
	}
}

// altered gives other files: those below a prefix are changed.
func altered(files fstest.MapFS, prefix string, change func([]byte) []byte) fstest.MapFS {
	out := fstest.MapFS{}
	for name, file := range files {
		data := file.Data
		if strings.HasPrefix(name, prefix) {
			data = change(slices.Clone(data))
		}
		out[name] = &fstest.MapFile{Data: data}
	}
	return out
}

func spoiled(raw []byte) []byte {
	raw[len(raw)-1] ^= 1
	return raw
}

func shortened(raw []byte) []byte { return raw[:len(raw)-1] }
