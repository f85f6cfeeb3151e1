package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

var errNoSuch = fault.New(fault.NotFound, "not-found", "There is no such resource for this issuer.")

// id gives a path id that can exist at all: ids here are UUIDs.
func id(c *gin.Context) (string, error) {
	parsed, err := uuid.Parse(c.Param("id"))
	if err != nil || parsed.String() != c.Param("id") {
		return "", errNoSuch
	}
	return parsed.String(), nil
}

// bundle gives a DDCC document back to its issuer, byte for byte as it was signed.
func (h handler) bundle(c *gin.Context) {
	h.issued(c, []string{"application/fhir+json", "application/json"}, h.Reader.Get, func(out issuance.Issued) ([]byte, string, error) {
		return out.Document, fhirJSONType, nil
	})
}

// qrCode draws the QR code of a certificate ($getQRCode). Only the issuer it was issued
// for may read it: the picture is the whole certificate.
func (h handler) qrCode(c *gin.Context) {
	h.issued(c, []string{"image/png"}, h.Reader.GetByReference, func(out issuance.Issued) ([]byte, string, error) {
		image, err := issuance.QRImage(out.Text)
		return image, "image/png", err
	})
}

type lookup func(ctx context.Context, issuer issuance.Issuer, id string) (issuance.Issued, error)

func (h handler) issued(c *gin.Context, media []string, find lookup, draw func(issuance.Issued) ([]byte, string, error)) {
	key, err := id(c)
	if err == nil && !accepts(c, media...) {
		err = errAccept
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	out, err := find(c.Request.Context(), issuer(c).Issuer(), key)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	body, contentType, err := draw(out)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	tag := etag(body)
	c.Header("ETag", tag)
	c.Header("Cache-Control", "private, no-cache")
	if matches(c.GetHeader("If-None-Match"), tag) {
		c.Status(http.StatusNotModified)
		return
	}
	links(c, out)
	c.Data(http.StatusOK, contentType, body)
}

func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// matches compares weakly, as If-None-Match does (RFC 9110 §13.1.2).
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		if p := strings.TrimPrefix(strings.TrimSpace(part), "W/"); p == tag || p == "*" {
			return true
		}
	}
	return false
}

// folder lists the caller's certificates of one HCID as a List (DDCC IG, DDCCFolder).
func (h handler) folder(c *gin.Context) {
	key, err := id(c)
	if err == nil {
		err = acceptsFHIR(c)
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	entries, err := h.Reader.Folder(c.Request.Context(), issuer(c).Issuer(), key)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Cache-Control", "private, no-cache")
	c.Data(http.StatusOK, fhirJSONType, list(key, entries))
}

// list writes the folder by hand: ids and dates only, nothing to escape.
func list(folderID string, entries []issuance.FolderEntry) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"List","id":"%s","status":"current","mode":"working",`, folderID)
	b.WriteString(`"code":{"coding":[{"system":"https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes","code":"folder"}]},"entry":[`)
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"date":"%s","item":{"reference":"Bundle/%s","type":"Bundle"}}`, e.IssuedAt.UTC().Format(time.RFC3339), e.ID)
	}
	b.WriteString("]}")
	return b.Bytes()
}
