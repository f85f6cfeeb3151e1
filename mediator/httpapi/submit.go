package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
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
	c.Data(http.StatusOK, fhirJSONType, h.batchResponse(results))
}

func (h handler) validateBatch(c *gin.Context) {
	raw, o, err := readDry(c, MaxBatch)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	issues, err := h.Mediator.ValidateBatch(issuer(c), raw, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	outcome(c, issues)
}

// batchResponse writes the Bundle by hand, so that each document keeps the bytes that
// were stored (DDCC IG, DDCCSubmitHealthEventResponse).
func (h handler) batchResponse(results []mediator.EntryResult) []byte {
	id := h.NewID()
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"Bundle","id":"%s","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:%s"},"type":"batch-response","timestamp":"%s","entry":[`,
		id, id, h.Clock().UTC().Format(time.RFC3339))
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

// statusLine is Bundle.entry.response.status: the code with its text.
func statusLine(code int) []byte {
	text, err := json.Marshal(fmt.Sprintf("%d %s", code, http.StatusText(code)))
	if err != nil {
		return []byte(`"500"`)
	}
	return text
}
