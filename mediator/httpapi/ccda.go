package httpapi

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/ccda"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// clinicalDocument adds the routes for C-CDA documents, which take places like batches.
func (h handler) clinicalDocument(g *gin.RouterGroup) {
	xml := g.Group("/ClinicalDocument", httpx.RequireContentType("application/cda+xml", "application/xml", "text/xml"), httpx.LimitBody(MaxBatch), place(h.batches))
	xml.POST("/$convert", h.convertCCDA)
	xml.POST("/$generateHealthFolder", func(c *gin.Context) { h.folderOf(c, MaxBatch, h.Mediator.GenerateFolderFromCCDA) })
}

var errBundleType = fault.New(fault.Malformed, "query", "The query of the address cannot be read.").With(fault.Issue{
	Path: "type", Rule: "query", Detail: "There is no such type of Bundle here.", Fix: "Send type=document, collection or transaction, or leave it out.",
})

// convertCCDA answers with a document as FHIR, and what was not kept.
func (h handler) convertCCDA(c *gin.Context) {
	kind := ccda.BundleType(c.DefaultQuery("type", string(ccda.Document)))
	if kind != ccda.Document && kind != ccda.Collection && kind != ccda.Transaction {
		httpx.Fail(c, errBundleType)
		return
	}
	raw, err := httpx.ReadBody(c, MaxBatch)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	bundle, issues, err := h.Mediator.ConvertCCDA(issuer(c), raw, kind)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"Parameters","parameter":[{"name":"return","resource":%s}`, bundle)
	if len(issues) > 0 {
		fmt.Fprintf(&b, `,{"name":"outcome","resource":%s}`, fhir.Outcome(issues))
	}
	b.WriteString("]}")
	c.Data(http.StatusOK, fhirJSONType, b.Bytes())
}
