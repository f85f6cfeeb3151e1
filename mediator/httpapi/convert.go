package httpapi

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// convert is $convert: Parameters with the certificate of anybody in, what it says and
// whether it verifies out; with reissue a DDCC of our own besides. The certificate and what
// comes of it are never logged.
func (h handler) convert(c *gin.Context) {
	raw, o, err := read(c, MaxSingle)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := h.Mediator.Convert(c.Request.Context(), issuer(c), raw, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	body, err := converted(out)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	status := http.StatusOK
	for _, issued := range out.Issued {
		c.Header("Location", location(issued.Issued))
		status = statusOf(issued.Issued)
	}
	c.Data(status, fhirJSONType, body)
}

// converted writes the answer by hand, so that a document keeps its bytes.
func converted(out mediator.Converted) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"Parameters","parameter":[{"name":"verification","part":[{"name":"valid","valueBoolean":%t},`, out.Valid)
	fmt.Fprintf(&b, `{"name":"reason","valueCode":%s},{"name":"format","valueCode":%s}`, quoted(out.Reason), quoted(out.Format))
	for _, part := range []struct{ name, value string }{{"detail", out.Detail}, {"profile", out.Profile}, {"signer", out.Signer}} {
		if part.value != "" {
			fmt.Fprintf(&b, `,{"name":"%s","valueString":%s}`, part.name, quoted(part.value))
		}
	}
	for _, w := range out.Warnings {
		fmt.Fprintf(&b, `,{"name":"warning","valueCode":%s}`, quoted(w))
	}
	b.WriteString("]}")
	for _, r := range out.Readings {
		if err := writeReading(&b, r); err != nil {
			return nil, err
		}
	}
	for _, issued := range out.Issued {
		b.WriteByte(',')
		writeCertificates(&b, issued)
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

// writeReading writes an event as the guide's maps do: a logical model in JSON, here as
// text, because Parameters hold resources of FHIR alone.
func writeReading(b *bytes.Buffer, r maps.Reading) error {
	core, err := r.Core.MarshalJSON()
	if err != nil {
		return err
	}
	fmt.Fprintf(b, `,{"name":"event","part":[{"name":"coreDataSet","valueString":%s}`, quoted(string(core)))
	if len(r.Issues) > 0 {
		fmt.Fprintf(b, `,{"name":"outcome","resource":%s}`, fhir.Outcome(r.Issues))
	}
	b.WriteString("]}")
	return nil
}
