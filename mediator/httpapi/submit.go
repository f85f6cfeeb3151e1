package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// submit is the transaction Submit Health Event: a batch in, a batch-response out, each
// entry with its own status and outcome.
func (h handler) submit(c *gin.Context) {
	raw, o, err := read(c, MaxBatch)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	results, err := h.Mediator.Submit(c.Request.Context(), issuer(c), raw, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Data(http.StatusOK, fhirJSONType, h.responseBundle(mediator.TypeBatch, results))
}

func (h handler) validateBatch(c *gin.Context) {
	raw, o, err := readDry(c, MaxBatch)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	issues, err := h.Mediator.ValidateBatch(c.Request.Context(), issuer(c), raw, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	outcome(c, issues)
}

// system is FHIR's system interaction: a batch or a transaction.
func (h handler) system(c *gin.Context) {
	raw, o, err := read(c, MaxBatch)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	if o.OnlyNew {
		httpx.Fail(c, errFolderCondition)
		return
	}
	kind, results, err := h.Mediator.System(c.Request.Context(), issuer(c), raw, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Data(http.StatusOK, fhirJSONType, h.responseBundle(kind, results))
}

// responseBundle answers a batch or a transaction. It is written by hand, so that each
// document keeps the bytes that were stored (DDCC IG, DDCCSubmitHealthEventResponse).
func (h handler) responseBundle(kind string, results []mediator.EntryResult) []byte {
	id := h.NewID()
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"Bundle","id":"%s","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:%s"},"type":"%s-response","timestamp":"%s","entry":[`,
		id, id, kind, h.Clock().UTC().Format(time.RFC3339))
	written := map[string]bool{}
	for i, r := range results {
		if i > 0 {
			b.WriteByte(',')
		}
		writeEntry(&b, r, written)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// writeEntry writes a document once: a Bundle has each fullUrl once (FHIR R4, invariant
// bdl-7), and identical events of a batch have one document.
func writeEntry(b *bytes.Buffer, r mediator.EntryResult, written map[string]bool) {
	if r.Err != nil {
		f := httpx.Public(r.Err)
		fmt.Fprintf(b, `{"response":{"status":%s,"outcome":%s}}`, statusLine(httpx.Status(f.Kind)), fhir.OutcomeOf(f))
		return
	}
	if r.Read {
		fmt.Fprintf(b, `{"response":{"status":%s,"outcome":%s}}`, statusLine(http.StatusAccepted), fhir.Outcome([]fault.Issue{readOnly}))
		return
	}
	b.WriteByte('{')
	if !written[r.ID] {
		fmt.Fprintf(b, `"fullUrl":"urn:uuid:%s","resource":`, r.ID)
		b.Write(r.Document)
		b.WriteByte(',')
	}
	written[r.ID] = true
	fmt.Fprintf(b, `"response":{"status":%s,"location":"Bundle/%s"`, statusLine(statusOf(r.Issued)), r.ID)
	if len(r.Warnings) > 0 {
		fmt.Fprintf(b, `,"outcome":%s`, fhir.Outcome(r.Warnings))
	}
	b.WriteString("}}")
}

var readOnly = fault.Issue{
	Severity: fault.SeverityInformation, Rule: fhir.RuleNotKept, Detail: "The resource was read for the events beside it; the gateway keeps none.", Fix: "Store it in a FHIR server.",
}

// statusLine is Bundle.entry.response.status: the code with its text.
func statusLine(code int) []byte {
	text, err := json.Marshal(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	if err != nil {
		return []byte(`"500"`)
	}
	return text
}
