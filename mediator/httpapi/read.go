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
	"golang.org/x/text/language"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
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
	c.Header("Vary", varyDrawn)
	h.issued(c, []string{mediaPNG, mediaPDF}, h.Reader.GetByReference, func(out issuance.Issued) ([]byte, string, error) {
		one, ok := out.ByReference(c.Param("id"))
		if !ok {
			return nil, "", errNoSuch
		}
		if preferred(c, mediaPNG, mediaPDF) == mediaPNG {
			image, err := one.Image()
			return image, mediaPNG, err
		}
		page, err := one.PDF(languageOf(c))
		return page, mediaPDF, err
	})
}

// The media types of pictures.
const (
	mediaPNG = "image/png"
	mediaPDF = "application/pdf"

	varyDrawn = "Accept, Accept-Language" // what chooses between their forms
)

// card is $card: the holder's card with every certificate of the folder, as a PDF in the
// language asked for.
func (h handler) card(c *gin.Context) {
	key, err := id(c)
	if err == nil && !accepts(c, mediaPDF) {
		err = errAccept
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	page, err := h.Reader.Card(c.Request.Context(), issuer(c).Issuer(), key, languageOf(c))
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	c.Header("Vary", varyDrawn)
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, mediaPDF, page)
}

// languageOf is what the request asks for: ?language=, else the first of Accept-Language.
// What is no language is English.
func languageOf(c *gin.Context) string {
	asked := c.Query("language")
	if asked == "" {
		asked = c.GetHeader("Accept-Language")
	}
	if len(asked) > maxLanguage {
		asked, _, _ = strings.Cut(asked, ",")
	}
	tags, _, err := language.ParseAcceptLanguage(asked[:min(len(asked), maxLanguage)])
	if err != nil || len(tags) == 0 {
		return language.English.String()
	}
	return tags[0].String()
}

// maxLanguage bounds what is read of a language, in bytes.
const maxLanguage = 200

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

// generateFolder is $generateHealthFolder: a Bundle with any number of events of one person
// in, the folder with their certificates out.
func (h handler) generateFolder(c *gin.Context) { h.folderOf(c, MaxSingle, h.Mediator.GenerateFolder) }

// folderMaker certifies the events of one person.
type folderMaker func(ctx context.Context, by mediator.IssuerPolicy, raw []byte, o mediator.Options) (mediator.Folder, error)

func (h handler) folderOf(c *gin.Context, limit int64, generate folderMaker) {
	raw, o, err := read(c, limit)
	if err == nil && o.OnlyNew {
		err = errFolderCondition
	}
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	folder, err := generate(c.Request.Context(), issuer(c), raw, o)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	entries, err := h.Reader.Folder(c.Request.Context(), issuer(c).Issuer(), folder.ID)
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	body := list(folder.ID, entries)
	if folder.Named {
		body = folderWith(body, folder.Warnings())
	}
	c.Header("Location", "/ddcc/List/"+folder.ID)
	c.Data(http.StatusOK, fhirJSONType, body)
}

// folderWith answers a request that named formats: the folder as "return", and what is to be
// said about the events.
func folderWith(list []byte, warnings []fault.Issue) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"Parameters","parameter":[{"name":"return","resource":%s}`, list)
	if len(warnings) > 0 {
		fmt.Fprintf(&b, `,{"name":"outcome","resource":%s}`, fhir.Outcome(warnings))
	}
	b.WriteString("]}")
	return b.Bytes()
}

// list writes the folder by hand: ids and dates only, nothing to escape.
func list(folderID string, entries []issuance.FolderEntry) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"resourceType":"List","id":"%s",`, folderID)
	fmt.Fprintf(&b, `"extension":[{"url":"https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType","valueCodeableConcept":{"coding":[{"system":"%s","code":"ddcc"}]}}],`,
		terminology.SystemFolderDesignation)
	b.WriteString(`"status":"current","mode":"working",`)
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
