package openhim

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// Properties of a transaction, for the core's search. Names have neither dots nor dollars.
const (
	propertyOutcome      = "outcome"      // issued, replayed, partly, done, or the code of the error
	propertyReplay       = "replay"       // true: every certificate existed before
	propertyCertificates = "certificates" // ids
	propertyCorrelation  = "correlation-id"
	propertyEntries      = "entries" // of a batch
	propertyFailed       = "failed"  // of them
	propertyOmitted      = "orchestrations-omitted"
)

// outcome is how a request ended.
type outcome struct {
	status          word
	word            string
	ids             []string
	fresh           int
	batch           bool
	entries, failed int
	retry           *fault.Error
}

// batches are the routes whose answer has an entry for each that was sent.
var batches = map[string]bool{"/ddcc/submitHealthEvent": true, "/ddcc": true}

func outcomeOf(c *gin.Context, w *capture, made *produced) outcome {
	o := outcome{word: "done"}
	var repeatable bool
	o.ids, o.fresh, repeatable = made.get()
	if batches[c.FullPath()] && w.status == http.StatusOK {
		o.batch = true
		o.entries, o.failed = entries(w.body.Bytes())
	}
	switch {
	case w.status >= http.StatusInternalServerError:
		o.status = statusFailed
	case w.status >= http.StatusMultipleChoices:
		o.status = statusCompleted
	case o.failed > 0:
		o.status, o.word = statusPartly, "partly"
	default:
		o.status = statusSuccessful
		o.word = wordOf(o)
	}
	if last := c.Errors.Last(); last != nil && w.status >= http.StatusBadRequest {
		f := httpx.Public(last.Err)
		o.word = f.Code
		if repeatable && len(o.ids) == 0 && wantsRetry(c, f) {
			o.retry = f
		}
	}
	return o
}

func wordOf(o outcome) string {
	switch {
	case len(o.ids) == 0:
		return "done"
	case o.fresh == 0:
		return "replayed"
	}
	return "issued"
}

// properties are texts, but for the list of ids.
func (o outcome) properties(correlation string, omitted int) map[string]any {
	p := map[string]any{propertyOutcome: o.word, propertyCorrelation: correlation}
	if len(o.ids) > 0 {
		p[propertyCertificates], p[propertyReplay] = o.ids, strconv.FormatBool(o.fresh == 0)
	}
	if o.batch {
		p[propertyEntries], p[propertyFailed] = strconv.Itoa(o.entries), strconv.Itoa(o.failed)
	}
	if omitted > 0 {
		p[propertyOmitted] = strconv.Itoa(omitted)
	}
	return p
}

// entries counts the entries of a batch-response of ours, and those that failed. Documents
// are skipped, not read.
func entries(bundle []byte) (all, failed int) {
	d := jsontext.NewDecoder(bytes.NewReader(bundle), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if !enter(d, '{') || !member(d, "entry") || !enter(d, '[') {
		return 0, 0
	}
	for d.PeekKind() == '{' {
		all++
		_, _ = d.ReadToken()
		bad := member(d, "response") && enter(d, '{') && member(d, "status") && refused(d)
		if bad {
			failed++
		}
		if !leave(d, 2) {
			return all, failed
		}
	}
	return all, failed
}

func enter(d *jsontext.Decoder, kind jsontext.Kind) bool {
	t, err := d.ReadToken()
	return err == nil && t.Kind() == kind
}

// member moves to the value of a member of the object that is being read.
func member(d *jsontext.Decoder, name string) bool {
	for d.PeekKind() == '"' {
		t, err := d.ReadToken()
		if err != nil {
			return false
		}
		if t.String() == name {
			return true
		}
		if d.SkipValue() != nil {
			return false
		}
	}
	return false
}

// refused reads a status such as "422 Unprocessable Entity".
func refused(d *jsontext.Decoder) bool {
	t, err := d.ReadToken()
	return err == nil && t.Kind() == '"' && t.String() >= "4"
}

// leave reads to the end of what is deeper than depth.
func leave(d *jsontext.Decoder, depth int) bool {
	for d.StackDepth() > depth {
		if kind := d.PeekKind(); kind == '}' || kind == ']' {
			if _, err := d.ReadToken(); err != nil {
				return false
			}
		} else if d.SkipValue() != nil {
			return false
		}
	}
	return true
}
