package httpapi

import (
	"bufio"
	"context"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator/bulk"
)

// The files of a job, each NDJSON in the order of the lines.
const (
	fileLines     = "lines.ndjson"     // Parameters for each line: what became of it
	fileDocuments = "documents.ndjson" // the DDCC document of each line that has one
	fileErrors    = "errors.ndjson"    // OperationOutcome for each line without a certificate
)

var errNoFile = fault.New(fault.NotFound, "not-found", "A job has no such file.")

// file streams one of the files, as far as the job has come.
func (h handler) file(c *gin.Context) {
	by := h.Issuer(c)
	render, known := map[string]renderer{fileLines: asParameters, fileErrors: asOutcome, fileDocuments: h.asDocument(by.Issuer())}[c.Param("file")]
	if !known {
		httpx.Fail(c, errNoFile)
		return
	}
	ctx := c.Request.Context()
	j, err := h.Jobs.Get(ctx, by.ID, c.Param("id"))
	if err != nil {
		httpx.Fail(c, err)
		return
	}
	if !h.downloads.take(by.ID) {
		httpx.Fail(c, errDownloads)
		return
	}
	defer h.downloads.leave(by.ID)
	c.Header("Content-Type", "application/fhir+ndjson")
	c.Status(http.StatusOK)
	out := bufio.NewWriterSize(newDownload(c), 64<<10)
	err = h.Jobs.Each(ctx, j, func(r bulk.Result) error {
		line, err := render(ctx, r)
		if err != nil || line == nil {
			return err
		}
		_, err = out.Write(append(line, '\n'))
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		_ = c.Error(err)
		panic(http.ErrAbortHandler) // the client must not take half a file for the whole
	}
}

// renderer writes the line of a result, nil for none.
type renderer func(context.Context, bulk.Result) ([]byte, error)

func asOutcome(_ context.Context, r bulk.Result) ([]byte, error) {
	if r.ID != "" {
		return nil, nil
	}
	return fhir.Outcome(r.Issues), nil
}

// asDocument reads the document. One that was revoked since is left out.
func (h handler) asDocument(issuer issuance.Issuer) renderer {
	return func(ctx context.Context, r bulk.Result) ([]byte, error) {
		if r.ID == "" {
			return nil, nil
		}
		out, err := h.Documents.Get(ctx, issuer, r.ID)
		if err != nil && fault.KindOf(err) == fault.NotFound {
			return nil, nil
		}
		return out.Document, err
	}
}

// asParameters says what the line alone would have been answered.
func asParameters(_ context.Context, r bulk.Result) ([]byte, error) {
	line := fmt.Appendf(nil, `{"resourceType":"Parameters","parameter":[{"name":"line","valueInteger":%d},{"name":"status","valueString":"%d"}`, r.Line, status(r))
	if r.ID != "" {
		line = fmt.Appendf(line, `,{"name":"document","valueReference":{"reference":"Bundle/%s"}},{"name":"folder","valueReference":{"reference":"List/%s"}}`, r.ID, r.Folder)
	}
	if len(r.Issues) > 0 {
		line = fmt.Appendf(line, `,{"name":"outcome","resource":%s}`, fhir.Outcome(r.Issues))
	}
	return append(line, "]}"...), nil
}

func status(r bulk.Result) int {
	switch {
	case r.ID == "":
		return httpx.Status(r.Kind)
	case r.Replayed:
		return http.StatusOK
	}
	return http.StatusCreated
}
