package healthlink

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, test := range map[string]struct {
		o     Options
		paths []string
	}{
		"past":            {Options{Expires: begin.Add(-time.Second)}, []string{"expires"}},
		"59 seconds":      {Options{Expires: begin.Add(59 * time.Second)}, []string{"expires"}},
		"too far":         {Options{Expires: begin.Add(366*24*time.Hour + time.Second)}, []string{"expires"}},
		"short passcode":  {Options{Passcode: "12345"}, []string{"passcode"}},
		"long passcode":   {Options{Passcode: strings.Repeat("a", 65)}, []string{"passcode"}},
		"invalid UTF-8":   {Options{Passcode: "\xff123456"}, []string{"passcode"}},
		"direct passcode": {Options{Passcode: "123456", Direct: true}, []string{"direct"}},
		"long label":      {Options{Label: strings.Repeat("a", 81)}, []string{"label"}},
		"all at once":     {Options{Expires: begin, Passcode: "1", Direct: true, Label: "\n"}, []string{"expires", "passcode", "direct", "label"}},
		"a minute":        {Options{Expires: begin.Add(time.Minute)}, nil},
		"six digits":      {Options{Passcode: "123456", Expires: begin.Add(366 * 24 * time.Hour)}, nil},
	} {
		_, err := b.Create(t.Context(), clinic, certificate, test.o)
		var paths []string
		if err != nil {
			for _, i := range fault.From(err).Issues {
				paths = append(paths, i.Path)
				if i.Fix == "" || i.Rule == "" {
					t.Errorf("%s: %s without rule or fix", name, i.Path)
				}
			}
		}
		if !slices.Equal(paths, test.paths) || err != nil && fault.KindOf(err) != fault.Rule {
			t.Errorf("%s: %v, %v", name, paths, err)
		}
	}
	for name, files := range map[string][]File{
		"none": nil, "nine": slices.Repeat([]File{{shlink.FHIR, document}}, 9), "empty": {{shlink.FHIR, nil}}, "huge": {{shlink.FHIR, make([]byte, shlink.MaxContent+1)}},
	} {
		b.source.files = files
		if _, err := b.Create(t.Context(), clinic, certificate, Options{}); !errors.Is(err, errNoFiles) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOthersGetNoLink(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.Create(t.Context(), other, certificate, Options{}); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

// TestCrashDuringCreation fails every store call of a creation: there is a link, or an
// error and nothing to follow; what is left over expires.
func TestCrashDuringCreation(t *testing.T) {
	t.Parallel()
	for step := 0; ; step++ {
		b := newBench(t)
		b.source.files = []File{{shlink.FHIR, document}, {shlink.HealthCard, card}}
		calls := 0
		b.store.hook(func(string, string) error {
			if calls++; calls == step+1 {
				return docstore.ErrUnavailable
			}
			return nil
		})
		_, err := b.Create(t.Context(), clinic, certificate, Options{Expires: begin.Add(time.Hour)})
		b.store.hook(nil)
		if err == nil {
			if step != 4 { // two files, the row, the stop
				t.Errorf("%d steps", step)
			}
			return
		}
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("step %d: %v", step, err)
		}
		docs, _, err := b.store.Range(t.Context(), links, b.certificateKey(certificate), "", 10)
		if err != nil || (len(docs) > 0) != (step == 3) {
			t.Errorf("step %d: %d rows, %v", step, len(docs), err)
		}
		b.clock.advance(time.Hour)
		if n, err := b.store.Purge(t.Context(), 100); err != nil || n != step {
			t.Errorf("step %d: %d expired, %v", step, n, err)
		}
	}
}

// TestNothingReadableIsStored looks for what must not be there in every byte on the disk.
func TestNothingReadableIsStored(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Service.derive = b.argon
	b.source.files = []File{{shlink.FHIR, document}, {shlink.HealthCard, card}}
	created, link, id := b.create(t, Options{Passcode: passcode, Label: "Anna Specimen's dose"})
	for _, code := range []string{passcode, "a wrong guess"} {
		_, _ = b.Manifest(t.Context(), id, Request{Recipient: "Border Specimen", Passcode: code, EmbeddedLengthMax: number(0)})
	}
	raw := b.raw(t)
	if !bytes.Contains(raw, []byte(created.ID)) {
		t.Fatal("the row is not where it is looked for")
	}
	for name, secret := range map[string]string{
		"key":          string(link.Key[:]),
		"key text":     base64.RawURLEncoding.EncodeToString(link.Key[:]),
		"key standard": base64.StdEncoding.EncodeToString(link.Key[:]),
		"key hex":      hex.EncodeToString(link.Key[:]),
		"key JSON":     `"key"`,
		"id":           id,
		"URL":          "gateway.example",
		"link":         "shlink:",
		"label":        "dose",
		"name":         "Specimen'",
		"document":     "1980-02-29",
		"card":         "verifiableCredential",
		"passcode":     passcode,
		"guess":        "a wrong guess",
		"recipient":    "Border",
		"certificate":  certificate,
	} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("%s is stored", name)
		}
	}
}

func TestWiringIsChecked(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	good := Deps{Store: b.store, Source: &b.source, Secret: make([]byte, 32), BaseURL: "https://gateway.example"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Deps){
		"store":         func(d *Deps) { d.Store = nil },
		"source":        func(d *Deps) { d.Source = nil },
		"secret":        func(d *Deps) { d.Secret = d.Secret[:31] },
		"no URL":        func(d *Deps) { d.BaseURL = "" },
		"plain URL":     func(d *Deps) { d.BaseURL = "http://gateway.example" },
		"long URL":      func(d *Deps) { d.BaseURL = "https://" + strings.Repeat("a", 73) },
		"lifetime":      func(d *Deps) { d.Lifetime = time.Second },
		"max lifetime":  func(d *Deps) { d.Lifetime, d.MaxLifetime = 2*time.Hour, time.Hour },
		"user and host": func(d *Deps) { d.BaseURL = "https://a:b@gateway.example" },
	} {
		d := good
		change(&d)
		if _, err := New(d); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestNewLinkIsNotPrinted: the text of a link in a log would be the key in a log.
func TestNewLinkIsNotPrinted(t *testing.T) {
	t.Parallel()
	created, _, _ := newBench(t).create(t, Options{})
	var out strings.Builder
	slog.New(slog.NewTextHandler(&out, nil)).Info("made", slog.Any("link", created), slog.Any("at", &created))
	slog.New(slog.NewJSONHandler(&out, nil)).Info("made", slog.Any("link", created), slog.Any("at", &created))
	fmt.Fprintf(&out, "%v %+v %#v %s %v", created, created, created, created, &created)
	if strings.Contains(out.String(), "shlink") || strings.Contains(out.String(), created.ID) {
		t.Errorf("printed: %s", out.String())
	}
}
