package httpapi_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/language"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// TestLanguageOfCards: what is asked for, and English for what is no language.
func TestLanguageOfCards(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	card := "/ddcc/Bundle/" + id + "/$card"
	for name, x := range map[string]struct{ query, header, want string }{
		"nothing":         {"", "", "en"},
		"header":          {"", "fr-CH, fr;q=0.9, en;q=0.5", "fr-CH"},
		"weights":         {"", "en;q=0.2, ar;q=0.9", "ar"},
		"query first":     {"?language=zh-Hant", "fr", "zh-Hant"},
		"empty query":     {"?language=", "fr", "fr"},
		"garbage":         {"", "!!!", "en"},
		"garbage weight":  {"", "fr;q=oops", "en"},
		"no UTF-8":        {"?language=%ff%fe", "", "en"},
		"NUL":             {"?language=ar%00", "", "en"},
		"markup":          {"?language=%3Cscript%3E", "", "en"},
		"path":            {"?language=../../etc/passwd", "", "en"},
		"injection":       {"?language=en)/S(", "", "en"},
		"very long":       {"?language=" + strings.Repeat("a-", 50_000), "", "en"},
		"many":            {"", "fr" + strings.Repeat(", de;q=0.1", 500), "fr"},
		"only rejections": {"", "fr;q=0", "en"},
	} {
		t.Run(name, func(t *testing.T) {
			header := []string{}
			if x.header != "" {
				header = []string{"Accept-Language", x.header}
			}
			w := e.send(t, "clinic", http.MethodGet, card+x.query, "", header...)
			if w.Code != 200 || e.language != x.want {
				t.Errorf("%d, %q, want %q", w.Code, e.language, x.want)
			}
		})
	}
}

// TestLanguageIsAlwaysATag whatever is sent.
func TestLanguageIsAlwaysATag(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	rapid.Check(t, func(r *rapid.T) {
		header := rapid.String().Draw(r, "header")
		if w := e.send(t, "clinic", http.MethodGet, "/ddcc/Bundle/"+id+"/$card", "", "Accept-Language", header); w.Code != 200 {
			r.Fatalf("status %d", w.Code)
		}
		if _, err := language.Parse(e.language); err != nil {
			r.Fatalf("%q is no language", e.language)
		}
	})
}

// TestAcceptIsWeighed: of what a client accepts, the form it wants most.
func TestAcceptIsWeighed(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	for accept, want := range map[string]string{
		"": "image/png", "*/*": "image/png", "image/png": "image/png", "IMAGE/PNG": "image/png", "image/*;q=0.1": "image/png",
		"application/pdf": "application/pdf", "application/*": "application/pdf", "application/pdf;q=0.9,image/png;q=0.1": "application/pdf",
		"image/png;q=0.1, application/pdf ; q=0.2": "application/pdf", "*/*;q=0.5, application/pdf": "application/pdf", "image/png;q=0, */*": "application/pdf",
		"image/png;level=1;Q=0.3, application/pdf;q=0.4": "application/pdf", "image/png;q=oops": "image/png", "text/html, image/png;q=0.001": "image/png",
		"image/png;q=0": "", "text/html": "", "*/*;q=0": "", "image/png;q=0.000, text/*": "", ",;,": "", "image": "",
	} {
		w := e.send(t, "clinic", http.MethodGet, "/ddcc/DocumentReference/"+picture+"/$getQRCode", "", "Accept", accept)
		switch {
		case want == "":
			refused(t, w, 406)
		case w.Code != 200 || w.Header().Get("Content-Type") != want:
			t.Errorf("Accept %q: %d %s, want %s", accept, w.Code, w.Header().Get("Content-Type"), want)
		case !strings.Contains(w.Header().Get("Vary"), "Accept"):
			t.Error("caches are not told")
		}
	}
}

// TestPicturesHaveETags: one for each form, and 304 for the one that is known.
func TestPicturesHaveETags(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	path := "/ddcc/DocumentReference/" + picture + "/$getQRCode"
	tags := map[string]bool{}
	for _, accept := range []string{"image/png", "application/pdf"} {
		tag := e.send(t, "clinic", http.MethodGet, path, "", "Accept", accept).Header().Get("ETag")
		again := e.send(t, "clinic", http.MethodGet, path, "", "Accept", accept, "If-None-Match", `"x", W/`+tag)
		if tag == "" || tags[tag] || again.Code != 304 || again.Body.Len() != 0 {
			t.Errorf("%s: ETag %s, then %d with %d bytes", accept, tag, again.Code, again.Body.Len())
		}
		tags[tag] = true
	}
	card := e.send(t, "clinic", http.MethodGet, "/ddcc/Bundle/"+id+"/$card", "")
	if got := card.Header().Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("a card is cached: %q", got)
	}
}

// TestCapabilities names every operation with a definition, once a type.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	w := e.send(t, "", http.MethodGet, "/ddcc/metadata", "")
	type operation struct{ Name, Definition string }
	var statement struct {
		Rest []struct {
			Operation []operation
			Resource  []struct {
				Type      string
				Operation []operation
			}
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &statement); err != nil || len(statement.Rest) != 1 {
		t.Fatalf("%v %.300s", err, w.Body)
	}
	got := map[string]string{}
	for _, o := range statement.Rest[0].Operation {
		got["/"+o.Name] = o.Definition
	}
	for _, r := range statement.Rest[0].Resource {
		for _, o := range r.Operation {
			if got[r.Type+"/"+o.Name] != "" {
				t.Errorf("%s/%s is there twice", r.Type, o.Name)
			}
			got[r.Type+"/"+o.Name] = o.Definition
		}
	}
	const guide, own = "http://smart.who.int/ddcc/OperationDefinition/DDCCQuestionnaireResponse", "urn:ddcc-gateway:operation:"
	for name, want := range map[string]string{
		"/convert": own + "convert", "/revokeByKey": own + "revokeByKey",
		"QuestionnaireResponse/generateHealthCertificate": guide + "generateHealthCertificate", "Bundle/generateHealthCertificate": guide + "generateHealthCertificate",
		"QuestionnaireResponse/revokeHealthCertificate": guide + "revokeHealthCertificate", "Bundle/revokeHealthCertificate": guide + "revokeHealthCertificate",
		"Bundle/generateHealthFolder": guide + "generateHealthFolder", "Bundle/card": own + "card", "DocumentReference/getQRCode": own + "getQRCode",
	} {
		if got[name] != want {
			t.Errorf("%s: %q, want %q", name, got[name], want)
		}
	}
}

// TestLogsShowNobody: not what is sent, not what comes back, not what goes wrong inside.
func TestLogsShowNobody(t *testing.T) {
	t.Parallel()
	e := newEdge(t)
	round := func() {
		for path := range posts {
			for _, body := range []string{posts[path], `{"name":"Zoe Specimen"}`, `Zoe Specimen`} {
				e.send(t, "clinic", http.MethodPost, path+"?format=Zoe+Specimen", body)
				e.send(t, "clinic", http.MethodPost, path, body, "Idempotency-Key", "Zoe", "Accept", "Specimen/*", "User-Agent", "Zoe Specimen")
				e.send(t, "clinic", http.MethodPost, path, body)
			}
		}
		for _, path := range gets {
			e.send(t, "clinic", http.MethodGet, path+"?language=Zoe+Specimen", "", "Accept-Language", "Specimen")
		}
		e.send(t, "clinic", http.MethodGet, "/ddcc/Bundle/Zoe%20Specimen", "")
		e.send(t, "clinic", http.MethodGet, "/ddcc/Zoe%20Specimen", "")
	}
	round()
	e.err = fault.New(fault.Rule, "invalid-content", "d").With(fault.Issue{Path: "p", Rule: "r", Detail: "d", Fix: "f"})
	round()
	log := e.log.String()
	if strings.Count(log, "\n") < 100 {
		t.Fatalf("%d lines are no log of all this", strings.Count(log, "\n"))
	}
	for _, word := range []string{"Zoe", "Specimen", "HC1:", "shc:/", id, picture, folder} {
		if strings.Contains(log, word) {
			t.Errorf("the log shows %q", word)
		}
	}
}
