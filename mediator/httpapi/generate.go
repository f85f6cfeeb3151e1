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
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// generate is $generateHealthCertificate: 201 for a new certificate, 200 for the one the
// same request was given before.
func (h handler) generate(c *gin.Context, kinds []mediator.Kind) {
	raw, o, err := read(c, MaxSingle)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.Mediator.Generate(c.Request.Context(), issuer(c), raw, o, kinds...)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Location", location(out.Issued))
	links(c, out.Issued)
	body := out.Document
	if out.Named {
		body = certificates(out)
	}
	c.Data(statusOf(out.Issued), fhirJSONType, body)
}

// certificates answers a request that named formats: the document as "return", each
// certificate with the text of its QR code, and what is to be said about them. By hand, so
// that the document keeps its bytes.
func certificates(out mediator.Generated) []byte {
	var b bytes.Buffer
	b.WriteString(`{"resourceType":"Parameters","parameter":[`)
	writeCertificates(&b, out)
	b.WriteString("]}")
	return b.Bytes()
}

func writeCertificates(b *bytes.Buffer, out mediator.Generated) {
	b.WriteString(`{"name":"return","resource":`)
	b.Write(out.Document)
	b.WriteString("}")
	for _, c := range out.Certificates() {
		fmt.Fprintf(b, `,{"name":"certificate","part":[{"name":"format","valueCode":"%s"},{"name":"profile","valueCode":"%s"},`, c.Format, c.Profile)
		fmt.Fprintf(b, `{"name":"reference","valueReference":{"reference":"DocumentReference/%s"}},`, c.ReferenceID)
		fmt.Fprintf(b, `{"name":"text","valueString":%s}`, quoted(c.Text))
		if !c.ExpiresAt.IsZero() { // an ICVP may be for life
			fmt.Fprintf(b, `,{"name":"expires","valueInstant":"%s"}`, c.ExpiresAt.UTC().Format(time.RFC3339))
		}
		b.WriteString("]}")
	}
	if len(out.Warnings) > 0 {
		fmt.Fprintf(b, `,{"name":"outcome","resource":%s}`, fhir.Outcome(out.Warnings))
	}
}

// quoted writes a text as JSON.
func quoted(text string) []byte {
	raw, err := json.Marshal(text)
	if err != nil {
		return []byte(`""`) // a string marshals
	}
	return raw
}

// validate is $validate: the findings, and nothing is issued.
func (h handler) validate(c *gin.Context, kinds []mediator.Kind) {
	raw, o, err := readDry(c, MaxSingle)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	issues, err := h.Mediator.Validate(c.Request.Context(), issuer(c), raw, o, kinds...)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	outcome(c, issues)
}

func statusOf(out issuance.Issued) int {
	if out.Replayed {
		return http.StatusOK
	}
	return http.StatusCreated
}

func location(out issuance.Issued) string { return "/ddcc/Bundle/" + out.ID }

// links point at what belongs to a certificate: its folder and its QR code (RFC 8288).
func links(c *gin.Context, out issuance.Issued) {
	c.Writer.Header().Add("Link", fmt.Sprintf(`</ddcc/List/%s>; rel="collection"`, out.FolderID))
	c.Writer.Header().Add("Link", fmt.Sprintf(`</ddcc/Bundle/%s/$card>; rel="alternate"; type="application/pdf"`, out.ID))
	for _, one := range out.Certificates() {
		c.Writer.Header().Add("Link", fmt.Sprintf(`</ddcc/DocumentReference/%s/$getQRCode>; rel="alternate"; type="image/png"`, one.ReferenceID))
	}
}
