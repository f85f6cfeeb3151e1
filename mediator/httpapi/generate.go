package httpapi

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

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
	c.Header("Location", location(out))
	links(c, out)
	c.Data(status(out), fhirJSONType, out.Document)
}

// validate is $validate: the findings, and nothing is issued.
func (h handler) validate(c *gin.Context, kinds []mediator.Kind) {
	raw, err := httpx.ReadBody(c, MaxSingle)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	issues, err := h.Mediator.Validate(issuer(c), raw, kinds...)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	outcome(c, issues)
}

func status(out issuance.Issued) int {
	if out.Replayed {
		return http.StatusOK
	}
	return http.StatusCreated
}

func location(out issuance.Issued) string { return "/ddcc/Bundle/" + out.ID }

// links point at what belongs to a certificate: its folder and its QR code (RFC 8288).
func links(c *gin.Context, out issuance.Issued) {
	c.Writer.Header().Add("Link", fmt.Sprintf(`</ddcc/List/%s>; rel="collection"`, out.FolderID))
	c.Writer.Header().Add("Link", fmt.Sprintf(`</ddcc/DocumentReference/%s/$getQRCode>; rel="alternate"; type="image/png"`, out.ReferenceID))
}
