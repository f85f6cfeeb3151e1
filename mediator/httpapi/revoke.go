package httpapi

import (
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

var (
	errRevokeID = fault.New(fault.Malformed, "revoke-id", "The request does not say which certificate is to be revoked.").With(fault.Issue{
		Path: "Parameters.parameter(id)", Rule: "DDCCRevokeHealthCertificateParameters", Detail: "The parameter is missing or no UUID.", Fix: "Send the id of the DDCC document as valueId.",
	})
	errRevokeOther = fault.New(fault.Malformed, "revoke-id", "The request names two certificates.").With(fault.Issue{
		Path: "Parameters.parameter(id)", Rule: "DDCCRevokeHealthCertificateParameters", Detail: "The parameter is not the id of the path.", Fix: "Leave the parameter out, or send the id of the path.",
	})
	errRevokeKID = fault.New(fault.Malformed, "revoke-kid", "The request does not say whose certificates are to be revoked.").With(fault.Issue{
		Path: "Parameters.parameter(kid)", Rule: "key-id", Detail: "The parameter is missing or no key id.", Fix: "Send the 8 bytes of the key id in standard base64 as valueString.",
	})
)

// revoke is $revokeHealthCertificate (DDCC IG, DDCCRevokeHealthCertificateParameters; the
// parameter "reason" is ours): on the type with the parameter id, or on the document.
func (h handler) revoke(c *gin.Context) {
	p, err := parameters(c)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	key, err := revokedID(c, p)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	reason, _ := p.Get("reason")
	if err := h.Mediator.Admit(issuer(c), 1); err != nil {
		httpx.Fail(c, err)
		return
	}
	if err := h.Revoker.Revoke(c.Request.Context(), issuer(c).Issuer(), key, reason.Value); err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Data(http.StatusOK, fhirJSONType, returnTrue)
}

// returnTrue is the answer of an operation that says no more than that it was done.
var returnTrue = []byte(`{"resourceType":"Parameters","parameter":[{"name":"return","valueBoolean":true}]}`)

// revokedID is the id in the path, else the parameter; where there are both, one id.
func revokedID(c *gin.Context, p fhir.Parameters) (string, error) {
	parameter, given := p.Get("id")
	if c.Param("id") != "" {
		key, err := id(c)
		if err == nil && given && parameter.Value != key {
			err = errRevokeOther
		}
		return key, err
	}
	key := parameter.Value
	if parsed, err := uuid.Parse(key); err != nil || parsed.String() != key {
		return "", errRevokeID
	}
	return key, nil
}

// keyPage is how many certificates one call of $revokeByKey revokes at most.
const keyPage = 200

// revokeByKey revokes what a key signed, a page at a time: the caller repeats the call while
// the answer says that there is more.
func (h handler) revokeByKey(c *gin.Context) {
	p, err := parameters(c)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	text, _ := p.Get("kid")
	kid, err := base64.StdEncoding.DecodeString(text.Value)
	if err != nil || len(kid) != 8 {
		httpx.Fail(c, errRevokeKID)
		return
	}
	reason, _ := p.Get("reason")
	limit := min(keyPage, issuer(c).Burst)
	if err := h.Mediator.Admit(issuer(c), limit); err != nil {
		httpx.Fail(c, err)
		return
	}
	done, err := h.Revoker.RevokeByKey(c.Request.Context(), issuer(c).Issuer(), kid, reason.Value, limit)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Data(http.StatusOK, fhirJSONType, fmt.Appendf(nil,
		`{"resourceType":"Parameters","parameter":[{"name":"revoked","valueInteger":%d},{"name":"failed","valueInteger":%d},{"name":"more","valueBoolean":%t}]}`,
		done.Revoked, done.Failed, done.More))
}

// parameters reads the body of an operation that takes simple parameters alone.
func parameters(c *gin.Context) (fhir.Parameters, error) {
	raw, err := httpx.ReadBody(c, maxParameters)
	if err != nil {
		return fhir.Parameters{}, err
	}
	return fhir.ParseParameters(raw)
}

// maxParameters bounds the body of such an operation, in bytes.
const maxParameters = 16 << 10
