package httpapi_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7/httpapi"
	mediatorapi "github.com/trustedparty/ddcc-gateway/mediator/httpapi"
)

// service answers by what it is sent.
type service struct{ asked []string }

func (s *service) Process(_ context.Context, by mediator.IssuerPolicy, raw []byte) hl7.Answer {
	s.asked = append(s.asked, by.ID+" "+string(raw))
	switch string(raw) {
	case "silent":
		return hl7.Answer{}
	case "unreadable":
		return hl7.Answer{Unreadable: true, Acknowledgement: []byte("MSH|AR")}
	case "latin":
		return hl7.Answer{Acknowledgement: []byte("MSH|\xdcbung")}
	}
	return hl7.Answer{Acknowledgement: []byte("MSH|Übung"), Code: "AE"}
}

func engine(t *testing.T, s *service) *gin.Engine {
	t.Helper()
	e, err := httpx.NewEngine(httpx.EngineOptions{Log: slog.New(slog.DiscardHandler), MaxBody: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	httpapi.Register(e, httpapi.Deps{
		Service: s, Render: mediatorapi.Render,
		Authenticate: func(c *gin.Context) {
			if c.GetHeader("X-Test-Issuer") == "" {
				httpx.Fail(c, fault.New(fault.Unauthenticated, "client-certificate", "No."))
			}
		},
		Issuer: func(c *gin.Context) mediator.IssuerPolicy {
			return mediator.IssuerPolicy{ID: c.GetHeader("X-Test-Issuer")}
		},
	})
	return e
}

func TestRoute(t *testing.T) {
	t.Parallel()
	const fhirJSON = "application/fhir+json; charset=utf-8"
	for name, test := range map[string]struct {
		body, media, issuer, encoding string
		status                        int
		answer, kind                  string
		asked                         int
	}{
		"a message":           {"one", "x-application/hl7-v2+er7", "clinic", "", 200, "MSH|Übung", "x-application/hl7-v2+er7; charset=utf-8", 1},
		"of the draft":        {"one", "application/hl7-v2+er7; charset=utf-8", "clinic", "", 200, "MSH|Übung", "application/hl7-v2+er7; charset=utf-8", 1},
		"of before":           {"one", "application/hl7-v2", "clinic", "", 200, "MSH|Übung", "application/hl7-v2; charset=utf-8", 1},
		"in Latin-1":          {"latin", "application/hl7-v2", "clinic", "", 200, "MSH|\xdcbung", "application/hl7-v2; charset=iso-8859-1", 1},
		"no answer is wanted": {"silent", "application/hl7-v2", "clinic", "", 204, "", "", 1},
		"no message":          {"unreadable", "application/hl7-v2", "clinic", "", 400, "OperationOutcome", fhirJSON, 1},
		"text":                {"one", "text/plain", "clinic", "", 415, "OperationOutcome", fhirJSON, 0},
		"JSON":                {"{}", "application/fhir+json", "clinic", "", 415, "OperationOutcome", fhirJSON, 0},
		"XML encoding":        {"<VXU/>", "application/hl7-v2+xml", "clinic", "", 415, "OperationOutcome", fhirJSON, 0},
		"compressed":          {"one", "application/hl7-v2", "clinic", "gzip", 415, "OperationOutcome", fhirJSON, 0},
		"too large":           {strings.Repeat("x", hl7v2.MaxMessage+1), "application/hl7-v2", "clinic", "", 413, "OperationOutcome", fhirJSON, 0},
		"nobody":              {"one", "application/hl7-v2", "", "", 401, "OperationOutcome", fhirJSON, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &service{}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, httpapi.Path, strings.NewReader(test.body))
			req.Header.Set("Content-Type", test.media)
			req.Header.Set("X-Test-Issuer", test.issuer)
			req.Header.Set("Content-Encoding", test.encoding)
			w := httptest.NewRecorder()
			engine(t, s).ServeHTTP(w, req)
			if w.Code != test.status || !strings.Contains(w.Body.String(), test.answer) || w.Header().Get("Content-Type") != test.kind || len(s.asked) != test.asked {
				t.Errorf("%d %s %q, asked %q", w.Code, w.Header().Get("Content-Type"), w.Body, s.asked)
			}
		})
	}
}
