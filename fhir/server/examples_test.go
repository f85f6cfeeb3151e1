package server_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/server"
)

// The official examples of FHIR R4 (CC0-1.0), fetched once into .tools.
const (
	examplesPackage = "hl7.fhir.r4.examples"
	examplesVersion = "4.0.1"
)

// example is one file of the package.
type example struct {
	name string
	raw  []byte
}

// examples gives the resources of the package. Without npm the test is skipped; with
// CI=true it fails.
func examples(t *testing.T) []example {
	t.Helper()
	file := filepath.Join("..", "..", ".tools", examplesPackage+"-"+examplesVersion+".tgz")
	if _, err := os.Stat(file); err != nil {
		if err := fetch(t, file); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("the official examples are needed: %v", err)
			}
			t.Skipf("the official examples cannot be fetched: %v", err)
		}
	}
	all, err := unpack(file)
	if err != nil || len(all) < 5000 {
		t.Fatalf("%d examples, %v", len(all), err)
	}
	return all
}

// fetch moves the package to its place when it is whole: other tests may do the same.
func fetch(t *testing.T, file string) error {
	t.Helper()
	npm, err := exec.LookPath("npm")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(file), "examples-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(t.Context(), npm, "pack", "--silent", examplesPackage+"@"+examplesVersion)
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return os.Rename(filepath.Join(tmp, filepath.Base(file)), file)
}

// unpack reads the resources out of the package. ig-r4.json is the ImplementationGuide
// that is there under its own name, too.
func unpack(file string) ([]example, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var all []example
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		name := path.Base(h.Name)
		if path.Ext(name) != ".json" || !strings.Contains(name, "-") || name == "ig-r4.json" {
			continue
		}
		raw, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		all = append(all, example{name, raw})
	}
}

// beyond are examples that this server refuses, with the status: an id of 70 characters is
// none (FHIR R4, datatypes.html#id).
var beyond = map[string]int{
	"SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json": 400,
}

// TestExamplesComeBackAsSent: every official example is stored by PUT; $raw gives its
// bytes, and a read gives them with exactly the members of the server put in.
func TestExamplesComeBackAsSent(t *testing.T) {
	t.Parallel()
	all := examples(t)
	p := peerOf(t, open(t, func(o *server.Options) { o.MaxBody = 64 << 20 }))
	work := make(chan example)
	var wg sync.WaitGroup
	var kept, refused atomic.Int64
	for range 8 {
		wg.Go(func() {
			for one := range work {
				if roundTrip(t, p, one) {
					kept.Add(1)
				} else {
					refused.Add(1)
				}
			}
		})
	}
	for i := 0; i < len(all); i += stride {
		work <- all[i]
	}
	close(work)
	wg.Wait()
	t.Logf("%d examples came back as sent, %d were refused as they should be", kept.Load(), refused.Load())
}

func roundTrip(t *testing.T, p peer, one example) bool {
	name, sent := one.name, one.raw
	var head struct{ ResourceType, ID string }
	if err := json.Unmarshal(sent, &head); err != nil {
		t.Errorf("%s: %v", name, err)
		return false
	}
	at := "/" + head.ResourceType + "/" + head.ID
	put := p.do("PUT", at, sent)
	if want := beyond[name]; want != 0 {
		if put.status != want {
			t.Errorf("%s: status %d, want %d", name, put.status, want)
		}
		return false
	}
	if put.status != 201 {
		t.Errorf("%s: status %d %.300s", name, put.status, put.body)
		return false
	}
	if raw := p.do("GET", at+"/$raw", nil); raw.status != 200 || !bytes.Equal(raw.body, sent) {
		t.Errorf("%s: $raw differs", name)
	}
	got := p.do("GET", at, nil)
	if got.status != 200 || !bytes.Equal(got.body, put.body) {
		t.Errorf("%s: status %d, or PUT and GET differ", name, got.status)
	}
	back, err := unspliced(sent, got.body)
	if err != nil || !bytes.Equal(back, sent) {
		t.Errorf("%s: what was read is not what was sent: %v", name, err)
	}
	return true
}

type metaOf struct {
	Meta *struct{ VersionID, LastUpdated string }
}

// unspliced takes the members of the server out of what was read, by the words the
// documentation has for them and without the code that put them in.
func unspliced(sent, got []byte) ([]byte, error) {
	var before, after metaOf
	if err := errors.Join(json.Unmarshal(sent, &before), json.Unmarshal(got, &after)); err != nil {
		return nil, err
	}
	version, updated := after.Meta.VersionID, after.Meta.LastUpdated
	if version != "1" || !strings.HasPrefix(updated, "2026-11-") {
		return nil, fmt.Errorf("version %s of %s", version, updated)
	}
	out := string(got)
	take := func(text, with string) error {
		if !strings.Contains(out, text) {
			return fmt.Errorf("%q is not there", text)
		}
		out = strings.Replace(out, text, with, 1)
		return nil
	}
	if before.Meta == nil {
		err := take(`,"meta":{"versionId":"1","lastUpdated":"`+updated+`"}`, "")
		return []byte(out), err
	}
	var errs error
	for _, m := range []struct{ name, old, now string }{
		{"versionId", before.Meta.VersionID, version}, {"lastUpdated", before.Meta.LastUpdated, updated},
	} {
		if m.old == "" {
			errs = errors.Join(errs, take(`"`+m.name+`":"`+m.now+`",`, ""))
		} else if m.old != m.now {
			errs = errors.Join(errs, take(`"`+m.now+`"`, `"`+m.old+`"`))
		}
	}
	return []byte(out), errs
}

// TestOfficialTransaction performs the transaction of the specification, without the
// terminology operation in it.
func TestOfficialTransaction(t *testing.T) {
	t.Parallel()
	all := examples(t)
	i := slices.IndexFunc(all, func(e example) bool { return e.name == "Bundle-bundle-transaction.json" })
	var b map[string]any
	if err := json.Unmarshal(all[i].raw, &b); err != nil {
		t.Fatal(err)
	}
	entries, _ := b["entry"].([]any)
	p := peerOf(t, open(t, nil))
	send := func() []byte {
		raw, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	if got := p.do("POST", "", send()); got.status != 404 || got.text(t, "issue", 0, "expression", 0) != "Bundle.entry[7]" {
		t.Errorf("an operation that is not there: %d %s", got.status, got.body)
	}
	b["entry"] = slices.Delete(entries, 7, 8)
	for _, id := range []string{"123a", "123a", "234", "12334", "12334", "12334", "12334"} {
		p.do("PUT", "/Patient/"+id, []byte(`{"resourceType":"Patient","id":"`+id+`"}`))
	}
	got := p.want(200, "POST", "", string(send()))
	for i, want := range []string{"201", "201", "201", "201", "200", "204", "204", "200", "304"} {
		if status := got.text(t, "entry", i, "response", "status"); !strings.HasPrefix(status, want) {
			t.Errorf("entry %d: %s, want %s", i, status, want)
		}
	}
	if n := got.text(t, "entry", 7, "resource", "total"); n == "0" {
		t.Error("the search does not see what the transaction wrote")
	}
	p.want(410, "GET", "/Patient/234", "")
	again := p.do("POST", "", send())
	if again.status != 412 || again.text(t, "issue", 0, "location", 0)+again.text(t, "issue", 0, "expression", 0) != "Bundle.entry[4].request.ifMatch" {
		t.Errorf("again: %d %s", again.status, again.body)
	}
}
