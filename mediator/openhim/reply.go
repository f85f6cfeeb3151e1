package openhim

import (
	"encoding/json"

	"net/http"
	"strings"

	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

// MediaType marks an answer that the core takes apart.
const MediaType = "application/json+openhim"

// word is how a transaction ended, in the core's words. A core of 4.x loses the answer of
// a transaction with any other word.
type word string

// The words in use.
const (
	statusSuccessful word = "Successful"
	statusPartly     word = "Completed with error(s)"
	statusCompleted  word = "Completed"
	statusFailed     word = "Failed"
)

// maxOrchestrations bounds what is told of the calls behind one request: the core stores
// each twice, and cuts at 15 MB.
const maxOrchestrations = 100

// reply is one answer. Body is a text: the core stores nothing else.
type reply struct {
	urn        string
	status     word
	code       int               // HTTP status
	header     map[string]string // of the answer; names without dots
	body       []byte            // UTF-8
	at         time.Time
	legs       []orchestration.Leg
	properties map[string]any // names without dots
	retry      *fault.Error   // makes the core send the request again; nil: it does not
}

// stamp is how times are written: a core that cannot read one loses the answer.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// wireOrchestration always has name, request and its timestamp: without them a core loses
// the answer, or dies.
type wireOrchestration struct {
	Name     string        `json:"name"`
	Group    string        `json:"group,omitempty"`
	Request  wireRequest   `json:"request"`
	Response *wireResponse `json:"response,omitempty"`
	Error    *wireError    `json:"error,omitempty"`
}

type wireRequest struct {
	Method    string            `json:"method"`
	Path      string            `json:"path"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	Timestamp string            `json:"timestamp"`
}

type wireResponse struct {
	Status    int               `json:"status"`
	Headers   map[string]string `json:"headers"`
	Body      string            `json:"body"`
	Timestamp string            `json:"timestamp"`
}

type wireError struct {
	Message string `json:"message"`
}

// orchestrationOf tells of a call what it was and how it ended; no host, size or digest.
func orchestrationOf(l orchestration.Leg, otherwise time.Time) wireOrchestration {
	started := l.Started
	if started.IsZero() {
		started = otherwise
	}
	o := wireOrchestration{
		Name: text(l.Name, "call"), Group: text(l.Group, ""),
		Request: wireRequest{Method: text(l.Method, http.MethodPost), Path: text(l.Path, "/"), Headers: map[string]string{}, Timestamp: stamp(started)},
	}
	if l.Status != 0 {
		o.Response = &wireResponse{Status: l.Status, Headers: map[string]string{}, Timestamp: stamp(started.Add(l.Took))}
	}
	if l.Failure != "" {
		o.Error = &wireError{text(l.Failure, "")}
	}
	return o
}

func text(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// encode writes the reply. The body goes straight into it, as it may be megabytes.
func (r reply) encode() ([]byte, error) {
	told := r.legs[:min(len(r.legs), maxOrchestrations)]
	orchestrations := make([]wireOrchestration, len(told))
	for i, l := range told {
		orchestrations[i] = orchestrationOf(l, r.at)
	}
	rest := struct {
		URN            string              `json:"x-mediator-urn"`
		Status         word                `json:"status"`
		Orchestrations []wireOrchestration `json:"orchestrations"`
		Properties     map[string]any      `json:"properties"`
		Error          *wireError          `json:"error,omitempty"`
	}{r.urn, r.status, orchestrations, r.properties, nil}
	if r.retry != nil {
		rest.Error = &wireError{r.retry.Code + ": " + r.retry.Detail}
	}
	outer, err := json.Marshal(rest)
	if err != nil {
		return nil, err
	}
	head, err := json.Marshal(struct {
		Status    int               `json:"status"`
		Headers   map[string]string `json:"headers"`
		Timestamp string            `json:"timestamp"`
	}{r.code, r.header, stamp(r.at)})
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(outer)+len(head)+len(r.body)+len(r.body)/8+64)
	out = append(out, outer[:len(outer)-1]...)
	out = append(out, `,"response":`...)
	out = append(out, head[:len(head)-1]...)
	out = append(out, `,"body":`...)
	if out, err = jsontext.AppendQuote(out, r.body); err != nil {
		return nil, err
	}
	return append(out, '}', '}'), nil
}

// textual reports whether a body of this media type can be stored as text.
func textual(media string, body []byte) bool {
	switch {
	case strings.HasPrefix(media, "text/"), media == "application/json", strings.HasSuffix(media, "+json"), strings.HasSuffix(media, "ndjson"),
		strings.HasSuffix(media, "+er7"), media == "application/hl7-v2", media == "application/jwt", media == "application/jose":
		return utf8.Valid(body)
	}
	return len(body) == 0
}

// binary wraps what is no text as a FHIR Binary (FHIR R4 §2.45).
func binary(media string, body []byte) ([]byte, error) {
	return json.Marshal(struct {
		ResourceType string `json:"resourceType"`
		ContentType  string `json:"contentType"`
		Data         []byte `json:"data"`
	}{"Binary", media, body})
}
