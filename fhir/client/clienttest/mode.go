package clienttest

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// Mode is a way to fail.
type Mode string

// The ways to fail. "Done" means that the server behind does the work of the request first.
const (
	Works            Mode = ""
	Refuse           Mode = "refuse"             // the connection is reset before TLS
	WrongCertificate Mode = "wrong-certificate"  // of an unknown CA
	HangBefore       Mode = "hang-before"        // until the client leaves; not done
	HangAfter        Mode = "hang-after"         // until the client leaves; done
	DropBefore       Mode = "drop-before"        // connection reset without an answer; not done
	DropAfter        Mode = "drop-after"         // connection reset without an answer; done
	CutBody          Mode = "cut-body"           // half of the answer, then silence and a reset; done
	HalfOpen         Mode = "half-open"          // half of the answer, then silence until the client leaves; done
	Status500        Mode = "500"                // OperationOutcome; not done
	Status500After   Mode = "500-after"          // OperationOutcome; done
	Status503        Mode = "503"                // of a proxy, in HTML; not done
	TooMany          Mode = "429"                // Retry-After: 1; not done
	NotFoundPage     Mode = "404-page"           // of a proxy, in HTML; not done
	OutcomeOK        Mode = "outcome-200"        // an OperationOutcome with an error and status 200; not done
	OtherResource    Mode = "other-resource-200" // a Basic that nobody asked for; not done
	NotJSON          Mode = "not-json-200"       // FHIR's media type, broken JSON; not done
	HTML             Mode = "html-200"           // a log-in page with status 200; not done
	Elsewhere        Mode = "redirect"           // 307 to another host; not done
	Endless          Mode = "endless"            // white space without end; not done
)

// Modes are all ways to fail.
func Modes() []Mode {
	return []Mode{
		Refuse, WrongCertificate, HangBefore, HangAfter, DropBefore, DropAfter, CutBody, HalfOpen, Status500, Status500After, Status503,
		TooMany, NotFoundPage, OutcomeOK, OtherResource, NotJSON, HTML, Elsewhere, Endless,
	}
}

// Does reports whether the work of a failing request is done all the same.
func (m Mode) Does() bool {
	switch m {
	case Works, HangAfter, DropAfter, CutBody, HalfOpen, Status500After:
		return true
	}
	return false
}

// Hangs reports whether a client meets m only after its own time limit.
func (m Mode) Hangs() bool { return m == HangBefore || m == HangAfter || m == HalfOpen }

func (m Mode) ofConnection() bool { return m == Refuse || m == WrongCertificate }

// canned are the failures that are a fixed answer.
var canned = map[Mode]struct {
	status      int
	contentType string
	body        string
}{
	Status500:      {500, fhirJSON, outcomeBody("exception")},
	Status500After: {500, fhirJSON, outcomeBody("exception")},
	Status503:      {503, "text/html", "<html>Service Unavailable</html>"},
	TooMany:        {429, fhirJSON, outcomeBody("throttled")},
	NotFoundPage:   {404, "text/html", "<html>default backend - 404</html>"},
	OutcomeOK:      {200, fhirJSON, outcomeBody("processing")},
	OtherResource:  {200, fhirJSON, `{"resourceType":"Basic","id":"other","code":{"text":"other"}}`},
	NotJSON:        {200, fhirJSON, `{"resourceType":"Patient","id":`},
	HTML:           {200, "text/html", "<html>Please sign in</html>"},
	Elsewhere:      {307, "text/html", ""},
}

const fhirJSON = "application/fhir+json;charset=UTF-8"

func outcomeBody(code string) string {
	return `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"` + code + `","diagnostics":"Ada Specimen at 10.0.0.1"}]}`
}

// retryAfterSeconds is what TooMany asks for.
const retryAfterSeconds = 1

// serve lets the server behind work, or fails.
func (p *Peer) serve(w http.ResponseWriter, r *http.Request) {
	mode := p.take()
	e := Exchange{Method: r.Method, Path: r.URL.Path, Mode: mode, Done: mode.Does()}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	work := httptest.NewRecorder()
	if e.Done {
		again := r.Clone(context.WithoutCancel(r.Context()))
		again.Body = io.NopCloser(bytes.NewReader(body))
		p.handler.ServeHTTP(work, again)
		e.Status = work.Code
	}
	answer, fixed := canned[mode]
	if fixed {
		e.Status = answer.status
	}
	p.note(e)
	switch {
	case mode == Works:
		pass(w, work, work.Body.Bytes())
	case fixed:
		if mode == TooMany {
			w.Header().Set("Retry-After", strconv.Itoa(retryAfterSeconds))
		}
		if mode == Elsewhere {
			w.Header().Set("Location", "https://elsewhere.example"+r.URL.Path)
		}
		w.Header().Set("Content-Type", answer.contentType)
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	case (mode == CutBody || mode == HalfOpen) && work.Code != http.StatusNoContent:
		raw := work.Body.Bytes()
		w.Header().Set("Content-Length", strconv.Itoa(max(len(raw), 1)))
		pass(w, work, raw[:len(raw)/2])
		_ = http.NewResponseController(w).Flush()
		p.hang(w, r, mode == HalfOpen)
	case mode == Endless:
		endless(w)
	case mode.Hangs():
		p.hang(w, r, true)
	default:
		p.hang(w, r, false)
	}
}

// pass hands an answer on, with body for its body.
func pass(w http.ResponseWriter, work *httptest.ResponseRecorder, body []byte) {
	maps.Copy(w.Header(), work.Header())
	w.WriteHeader(work.Code)
	_, _ = w.Write(body)
}

// hang waits for the client to leave, if it is to, and breaks the connection.
func (p *Peer) hang(w http.ResponseWriter, r *http.Request, wait bool) {
	control := http.NewResponseController(w)
	if wait {
		select {
		case <-r.Context().Done():
		case <-p.stopped:
		}
	}
	if c, _, err := control.Hijack(); err == nil {
		reset(c)
		return
	}
	panic(http.ErrAbortHandler) // the answer has begun
}

// maxEndless ends what is endless, for a client that reads it all.
const maxEndless = 1 << 30

func endless(w http.ResponseWriter) {
	w.Header().Set("Content-Type", fhirJSON)
	blank := []byte(strings.Repeat(" ", 64<<10))
	for sent := 0; sent < maxEndless; sent += len(blank) {
		if _, err := w.Write(blank); err != nil {
			return
		}
	}
}

// reset closes a connection so that the other side gets an error, not an end.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
