package healthlink

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestManifestLeadsToTheDocuments(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.source.files = []File{{shlink.HealthCard, card}, {shlink.FHIR, document}}
	created, link, id := b.create(t, Options{Label: "Vaccination", LongTerm: true})
	if link.Flags.String() != "L" || link.Label != "Vaccination" || !link.Expires.Equal(begin.Add(366*24*time.Hour)) || !created.Expires.Equal(link.Expires) {
		t.Errorf("%s until %v", link, link.Expires)
	}
	if strings.Contains(created.Text, created.ID) || created.ID == id {
		t.Error("the handle is the id of the URL")
	}
	for name, q := range map[string]Request{
		"embedded":  {Recipient: "Border Specimen"},
		"locations": {Recipient: "Border Specimen", EmbeddedLengthMax: number(0)},
		"long":      {Recipient: "Border Specimen", EmbeddedLengthMax: number(1 << 40)},
	} {
		m, err := b.Manifest(t.Context(), id, q)
		if err != nil || len(m.Files) != 2 {
			t.Fatalf("%s: %d files, %v", name, len(m.Files), err)
		}
		for n, f := range m.Files {
			jwe := f.Embedded
			if name == "locations" {
				ticket, ok := strings.CutPrefix(f.Location, link.URL+"/files/")
				if !ok || jwe != "" {
					t.Fatalf("%s: file %d is not behind a location", name, n)
				}
				if jwe, err = b.File(t.Context(), id, ticket); err != nil {
					t.Fatal(err)
				}
			}
			contentType, content, err := shlink.Decrypt(link.Key, jwe)
			if err != nil || contentType != f.ContentType || !bytes.Equal(content, b.source.files[n].Content) {
				t.Errorf("%s: file %d is another, %v", name, n, err)
			}
			if f.Status != "finalized" || f.LastUpdated != "2026-11-21T09:00:00Z" || (f.FHIRVersion == "4.0.1") != (contentType == shlink.FHIR) {
				t.Errorf("%s: file %d: %s, %s, FHIR %s", name, n, f.Status, f.LastUpdated, f.FHIRVersion)
			}
		}
	}
}

func TestEmbeddedLengthMaxIsObeyed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{})
	m, err := b.Manifest(t.Context(), id, ask(""))
	if err != nil {
		t.Fatal(err)
	}
	length := len(m.Files[0].Embedded)
	for limit, embedded := range map[int]bool{length: true, length - 1: false} {
		m, err := b.Manifest(t.Context(), id, Request{Recipient: "Border Specimen", EmbeddedLengthMax: &limit})
		if err != nil || (m.Files[0].Embedded != "") != embedded || (m.Files[0].Location == "") != embedded {
			t.Errorf("%d of %d: %v", limit, length, err)
		}
	}
}

func TestDirect(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, link, id := b.create(t, Options{Direct: true})
	if link.Flags.String() != "U" || !link.Expires.Equal(begin.Add(30*24*time.Hour)) {
		t.Errorf("%s until %v", link, link.Expires)
	}
	jwe, err := b.Direct(t.Context(), id, "Border Specimen")
	if err != nil {
		t.Fatal(err)
	}
	if contentType, content, err := shlink.Decrypt(link.Key, jwe); err != nil || contentType != shlink.FHIR || !bytes.Equal(content, document) {
		t.Errorf("another file, %v", err)
	}
	if _, err := b.Manifest(t.Context(), id, ask("")); !errors.Is(err, errLink) {
		t.Errorf("manifest of a direct link: %v", err)
	}
	_, _, listed := b.create(t, Options{})
	if _, err := b.Direct(t.Context(), listed, "Border Specimen"); !errors.Is(err, errLink) {
		t.Errorf("direct request of a link with a manifest: %v", err)
	}
	b.source.files = []File{{shlink.FHIR, document}, {shlink.HealthCard, card}}
	if _, err := b.Create(t.Context(), clinic, certificate, Options{Direct: true}); fault.KindOf(err) != fault.Rule {
		t.Errorf("two files behind a direct link: %v", err)
	}
}

func TestTickets(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.source.files = []File{{shlink.FHIR, document}, {shlink.HealthCard, card}}
	_, _, id := b.create(t, Options{})
	_, _, second := b.create(t, Options{})
	handle, _ := b.handle(id)
	ticket := b.ticket(handle, 1)
	if _, err := b.File(t.Context(), id, ticket); err != nil {
		t.Fatal(err)
	}
	if _, err := b.File(t.Context(), second, ticket); !errors.Is(err, errLink) {
		t.Errorf("of another link: %v", err)
	}
	if _, err := b.File(t.Context(), id, b.ticket(handle, 2)); !errors.Is(err, errLink) {
		t.Errorf("of a file that is not there: %v", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(ticket)
	if err != nil {
		t.Fatal(err)
	}
	for bit := range len(raw) * 8 {
		flipped := bytes.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := b.File(t.Context(), id, base64.RawURLEncoding.EncodeToString(flipped)); !errors.Is(err, errLink) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	for _, bad := range []string{"", ticket + "AA", ticket[:len(ticket)-1], ticket + "=", strings.Repeat("A", 1<<16)} {
		if _, err := b.File(t.Context(), id, bad); !errors.Is(err, errLink) {
			t.Errorf("malformed: %v", err)
		}
	}
	b.clock.advance(ticketTime - time.Second)
	if _, err := b.File(t.Context(), id, ticket); err != nil {
		t.Errorf("at its end: %v", err)
	}
	b.clock.advance(time.Second)
	if _, err := b.File(t.Context(), id, ticket); !errors.Is(err, errLink) {
		t.Errorf("after its end: %v", err)
	}
}

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, _, id := b.create(t, Options{})
	for name, test := range map[string]struct {
		q     Request
		paths []string
	}{
		"no recipient":   {Request{}, []string{"/recipient"}},
		"blank":          {Request{Recipient: " \t"}, []string{"/recipient"}},
		"long recipient": {Request{Recipient: strings.Repeat("é", 257)}, []string{"/recipient"}},
		"all at once":    {Request{Passcode: strings.Repeat("a", 257), EmbeddedLengthMax: number(-1)}, []string{"/recipient", "/passcode", "/embeddedLengthMax"}},
	} {
		for _, at := range []string{id, "unknown"} { // the answer does not depend on the link
			_, err := b.Manifest(t.Context(), at, test.q)
			var paths []string
			for _, i := range fault.From(err).Issues {
				paths = append(paths, i.Path)
			}
			if !errors.Is(err, errRequest) || !slices.Equal(paths, test.paths) {
				t.Errorf("%s: %v %v", name, paths, err)
			}
		}
	}
	if _, err := b.Direct(t.Context(), id, ""); !errors.Is(err, errRequest) {
		t.Errorf("direct without a recipient: %v", err)
	}
}
