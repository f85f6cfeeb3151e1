package client

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Bundle types (FHIR R4 http://hl7.org/fhir/bundle-type).
const (
	transaction         = "transaction"
	transactionResponse = "transaction-response"
	batch               = "batch"
	batchResponse       = "batch-response"
	searchset           = "searchset"
	history             = "history"
)

// EntryResponse is what became of one entry of a transaction or batch, at the place of the
// entry. Resource is empty where the answer names none, as for a DELETE.
type EntryResponse struct {
	Resource
	Status int
	Err    error // of an entry of a batch; nil in a transaction
}

// bundle is a Bundle as far as it is read of or written for a server.
type bundle struct {
	ResourceType string  `json:"resourceType"`
	Type         string  `json:"type"`
	Link         []link  `json:"link"`
	Entry        []entry `json:"entry"`
}

type link struct {
	Relation string `json:"relation"`
	URL      string `json:"url"`
}

type entry struct {
	FullURL  string         `json:"fullUrl"`
	Resource jsontext.Value `json:"resource"`
	Search   struct {
		Mode string `json:"mode"`
	} `json:"search"`
	Request struct {
		Method      string `json:"method"`
		URL         string `json:"url"`
		IfMatch     string `json:"ifMatch"`
		IfNoneExist string `json:"ifNoneExist"`
	} `json:"request"`
	Response struct {
		Status       string         `json:"status"`
		Location     string         `json:"location"`
		ETag         string         `json:"etag"`
		LastModified string         `json:"lastModified"`
		Outcome      jsontext.Value `json:"outcome"`
	} `json:"response"`
}

// Transaction sends a transaction Bundle: the server does all of it or nothing. It is
// repeated only if every entry can be: PUT, DELETE, GET, HEAD, and POST with ifNoneExist.
func (c *Client) Transaction(ctx context.Context, raw []byte) ([]EntryResponse, error) {
	return c.bundle(ctx, raw, transaction, transactionResponse)
}

// Batch sends a batch Bundle, whose entries succeed or fail each for itself; it is repeated
// as a transaction is.
func (c *Client) Batch(ctx context.Context, raw []byte) ([]EntryResponse, error) {
	return c.bundle(ctx, raw, batch, batchResponse)
}

func (c *Client) bundle(ctx context.Context, raw []byte, sent, wanted string) ([]EntryResponse, error) {
	var b bundle
	if json.Unmarshal(raw, &b) != nil || b.ResourceType != bundleType || b.Type != sent {
		return nil, badBody("type", "The body is not a Bundle of type "+sent+".", "Send a Bundle of that type.")
	}
	r := request{method: http.MethodPost, path: "", body: raw, writes: true, repeatable: true, prefer: noCopy}
	for _, e := range b.Entry {
		r.repeatable = r.repeatable && e.repeatable()
		r.versioned = r.versioned || e.Request.IfMatch != ""
	}
	a, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	var back bundle
	if a.status != http.StatusOK || json.Unmarshal(a.body, &back) != nil || back.ResourceType != bundleType || back.Type != wanted || len(back.Entry) != len(b.Entry) {
		return nil, nonsense(a, true, "the answer is not a "+wanted+" with one entry for each that was sent").fault()
	}
	out := make([]EntryResponse, len(back.Entry))
	for i, e := range back.Entry {
		if out[i] = e.response(); out[i].Err != nil && sent == transaction {
			return nil, nonsense(a, true, "an entry of a transaction that succeeded says that it failed").fault()
		}
	}
	return out, nil
}

// repeatable reports whether doing the entry twice is doing it once.
func (e entry) repeatable() bool {
	switch e.Request.Method {
	case http.MethodPut, http.MethodDelete, http.MethodGet, http.MethodHead:
		return true
	case http.MethodPost:
		return e.Request.IfNoneExist != ""
	}
	return false
}

// statusForm is response.status: a status and perhaps its words.
var statusForm = regexp.MustCompile(`^([1-5][0-9]{2})(?: .*)?$`)

// response reads response and resource of an entry that came back.
func (e entry) response() EntryResponse {
	var out EntryResponse
	if m := statusForm.FindStringSubmatch(e.Response.Status); m != nil {
		out.Status, _ = strconv.Atoi(m[1])
	}
	o := readOutcome(e.Response.Outcome)
	if o == nil {
		o = readOutcome(e.Resource)
	}
	switch failed := o != nil && o.failed(); {
	case out.Status/100 != 2:
		out.Err = ofStatus(out.Status, o, 0).fault()
		return out
	case failed:
		out.Err = nonsense(answer{status: out.Status}, true, "an OperationOutcome with errors came as a success").fault()
		return out
	}
	out.Resource, _ = located(e.Response.Location)
	if h, err := readHead(e.Resource); err == nil && h.ResourceType != outcomeType {
		out.Resource = h.resource(e.Resource)
	}
	if version := etagVersion(e.Response.ETag); version != "" && out.ID != "" {
		out.VersionID = version
	}
	if at, err := time.Parse(time.RFC3339Nano, e.Response.LastModified); err == nil && out.LastModified.IsZero() {
		out.LastModified = at.UTC()
	}
	return out
}

// oneEntry is a transaction that puts raw to address, a resource type with a search.
func oneEntry(address string, raw []byte) []byte {
	quoted, err := jsontext.AppendQuote(nil, address)
	if err != nil {
		panic(fault.From(err)) // checkCriteria admits ASCII alone
	}
	var b strings.Builder
	b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":`)
	b.Write(raw)
	b.WriteString(`,"request":{"method":"PUT","url":`)
	b.Write(quoted)
	b.WriteString(`}}]}`)
	return []byte(b.String())
}
