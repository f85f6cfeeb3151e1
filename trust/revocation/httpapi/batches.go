package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
)

// batchList is the answer of the EU's gateway (DGCG, "Download Revocation List").
type batchList struct {
	More    bool        `json:"more"`
	Batches []batchLine `json:"batches"`
}

type batchLine struct {
	BatchID string    `json:"batchId"`
	Country string    `json:"country"`
	Date    time.Time `json:"date"`
	Deleted bool      `json:"deleted"`
}

const headerSince = "If-Modified-Since"

var errSince = fault.New(fault.Malformed, "revocation-since", "The header If-Modified-Since must state the date of the last batch that is known.").With(
	fault.Issue{Path: headerSince, Rule: "revocation-since", Detail: "The date is missing or not in ISO 8601 or the form of HTTP.", Fix: "Send 2021-06-01T00:00:00Z to begin with, then the date of the last batch that was answered."})

// batchChanges lists what became of batches after the date in If-Modified-Since, which is a
// position here and no validator: 204 says that there is nothing.
func (a api) batchChanges(c *gin.Context) {
	c.Header("Vary", headerSince)
	since, ok := parseSince(c.GetHeader(headerSince))
	if !ok {
		a.fail(c, errSince)
		return
	}
	publication, err := a.Publications.Current()
	if err != nil {
		a.fail(c, err)
		return
	}
	changes, more := publication.BatchChanges(since)
	a.cacheable(c, publication)
	if len(changes) == 0 {
		c.Status(http.StatusNoContent)
		c.Writer.WriteHeaderNow()
		return
	}
	out := batchList{More: more, Batches: make([]batchLine, len(changes))}
	for i, change := range changes {
		out.Batches[i] = batchLine{change.ID, publication.Manifest.Country, change.Date, change.Deleted}
	}
	body, err := json.Marshal(out)
	if err != nil {
		a.fail(c, err)
		return
	}
	sum := sha256.Sum256(body)
	etag := `"` + hex.EncodeToString(sum[:]) + `"`
	c.Header("ETag", etag)
	if c.GetHeader("If-None-Match") == etag {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	writeBody(c, body)
}

// parseSince reads ISO 8601 as the EU's gateway asks for it, or the date of HTTP. A plus sign
// that was read as a blank is not one.
func parseSince(text string) (time.Time, bool) {
	if len(text) > 64 {
		return time.Time{}, false
	}
	if since, err := time.Parse(time.RFC3339, text); err == nil {
		return since, true
	}
	since, err := http.ParseTime(text)
	return since, err == nil
}

var (
	errBatchForm    = fault.New(fault.Malformed, "revocation-batch-id", "The id of a batch is a UUID in lower case.")
	errBatchUnknown = fault.New(fault.NotFound, "revocation-batch-unknown", "There is no batch with this id.")
)

// batch serves one batch. One that is gone is 410, which fault has no kind for: this is the
// only place that needs it.
func (a api) batch(c *gin.Context) {
	id := c.Param("batch")
	if !format.IsBatchID(id) {
		a.fail(c, errBatchForm)
		return
	}
	publication, err := a.Publications.Current()
	if err != nil {
		a.fail(c, err)
		return
	}
	batch, known, deleted := publication.Batch(id)
	switch {
	case !known:
		a.fail(c, errBatchUnknown)
	case deleted:
		a.cacheable(c, publication)
		c.Status(http.StatusGone)
		c.Writer.WriteHeaderNow()
	default:
		a.cacheable(c, publication)
		a.serve(c, mediaJSON, batch)
	}
}

var (
	bytePattern  = regexp.MustCompile(`^[0-9a-f]{2}$`)
	errSliceForm = fault.New(fault.Malformed, "revocation-slice-form", "A slice is named by a key id in base64url and one or two bytes in lower-case hex.")
	errNoSlice   = fault.New(fault.NotFound, "revocation-slice-unknown", "There is no such slice: the key has no revocations, or its list is cut otherwise; the manifest says how.")
)

func (a api) slice(c *gin.Context) {
	a.answer(c, mediaBinary, func(p *revocation.Publication) (revocation.Representation, error) {
		kid, prefix, ok := sliceOf(c.Param("kid"), c.Param("x"), c.Param("y"))
		if !ok {
			return revocation.Representation{}, errSliceForm
		}
		found, ok, err := p.Slice(kid, prefix)
		if err == nil && !ok {
			err = errNoSlice
		}
		return found, err
	})
}

func sliceOf(kid, x, y string) (format.KID, []byte, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(kid)
	if err != nil || len(raw) != format.KIDSize || strings.ContainsAny(kid, "\r\n") || !bytePattern.MatchString(x) || y != "" && !bytePattern.MatchString(y) {
		return format.KID{}, nil, false
	}
	prefix, err := hex.DecodeString(x + y)
	return format.KID(raw), prefix, err == nil
}
