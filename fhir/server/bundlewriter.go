package server

import (
	"bytes"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
)

// bundle writes a Bundle whose resources keep their bytes.
type bundle struct {
	kind, id string
	made     time.Time
	total    *int
	head     []byte // identifier and timestamp of a document
	links    bytes.Buffer
	entries  bytes.Buffer
}

func newBundle(kind, id string, made time.Time) *bundle {
	return &bundle{kind: kind, id: id, made: made}
}

// member writes ,"name":value; a comma in front is left out behind an opening bracket.
func member(b *bytes.Buffer, name string, value []byte) {
	comma(b)
	b.Write(rawjson.Quote(name))
	b.WriteByte(':')
	b.Write(value)
}

func comma(b *bytes.Buffer) {
	if n := b.Len(); n > 0 && b.Bytes()[n-1] != '{' && b.Bytes()[n-1] != '[' {
		b.WriteByte(',')
	}
}

func text(b *bytes.Buffer, name, value string) { member(b, name, rawjson.Quote(value)) }

// link adds a link with a query.
func (b *bundle) link(relation, address string, query url.Values) {
	if q := query.Encode(); q != "" {
		address += "?" + q
	}
	comma(&b.links)
	b.links.WriteByte('{')
	text(&b.links, "relation", relation)
	text(&b.links, "url", address)
	b.links.WriteByte('}')
}

// next adds the link to the page behind a place.
func (b *bundle) next(address string, self url.Values, place int64) {
	query := maps.Clone(self)
	query.Set(search.CursorParameter, strconv.FormatInt(place, 10))
	b.link("next", address, query)
}

// begin and end frame an entry.
func (b *bundle) begin(fullURL string) {
	comma(&b.entries)
	b.entries.WriteByte('{')
	if fullURL != "" {
		text(&b.entries, "fullUrl", fullURL)
	}
}

func (b *bundle) end() { b.entries.WriteByte('}') }

// found adds a resource of a search; with mode "" it is an entry without search.
func (b *bundle) found(base string, v store.Version, mode string, as view) error {
	raw, err := present(v)
	if err == nil {
		raw, err = as.of(raw, v.Type)
	}
	if err != nil {
		return err
	}
	b.begin(base + "/" + v.Type + "/" + v.ID)
	member(&b.entries, "resource", raw)
	if mode != "" {
		member(&b.entries, "search", []byte(`{"mode":"`+mode+`"}`))
	}
	b.end()
	return nil
}

// outcome adds what a search has to say besides what it found. id is a UUID: an entry of a
// searchset has a fullUrl, and the OperationOutcome no address (FHIR R4, Bundle.entry.fullUrl).
func (b *bundle) outcome(id string, issues []fault.Issue) {
	if len(issues) == 0 {
		return
	}
	b.begin("urn:uuid:" + id)
	member(&b.entries, "resource", fhir.Outcome(issues))
	member(&b.entries, "search", []byte(`{"mode":"outcome"}`))
	b.end()
}

// response adds entry.response.
func (b *bundle) response(base string, out result) {
	e := &b.entries
	comma(e)
	e.WriteString(`"response":{`)
	text(e, "status", strconv.Itoa(out.status)+" "+http.StatusText(out.status))
	if v := out.version; v != nil {
		if base != "" {
			text(e, "location", base+"/"+versionPath(*v))
		}
		text(e, "etag", etag(v.Number))
		text(e, "lastModified", instant(v.Updated))
	}
	if len(out.issues) > 0 {
		member(e, "outcome", fhir.Outcome(out.issues))
	}
	e.WriteByte('}')
}

// failure adds entry.response of what failed.
func (b *bundle) failure(err error) {
	f := httpx.Public(public(err))
	comma(&b.entries)
	b.entries.WriteString(`"response":{`)
	status := statusOf(f)
	text(&b.entries, "status", strconv.Itoa(status)+" "+http.StatusText(status))
	member(&b.entries, "outcome", fhir.OutcomeOf(f))
	b.entries.WriteByte('}')
}

func versionPath(v store.Version) string {
	return v.Type + "/" + v.ID + "/_history/" + strconv.FormatInt(v.Number, 10)
}

// bytes gives the whole.
func (b *bundle) bytes() []byte {
	var out bytes.Buffer
	out.WriteByte('{')
	text(&out, "resourceType", "Bundle")
	if b.id != "" {
		text(&out, "id", b.id)
	}
	if !b.made.IsZero() {
		member(&out, "meta", []byte(`{"lastUpdated":"`+instant(b.made)+`"}`))
	}
	out.Write(b.head)
	text(&out, "type", b.kind)
	if b.total != nil {
		member(&out, "total", []byte(strconv.Itoa(*b.total)))
	}
	list(&out, "link", &b.links)
	list(&out, "entry", &b.entries)
	out.WriteByte('}')
	return out.Bytes()
}

// list writes an array that is not empty.
func list(out *bytes.Buffer, name string, items *bytes.Buffer) {
	if items.Len() == 0 {
		return
	}
	comma(out)
	out.Write(rawjson.Quote(name))
	out.WriteString(":[")
	out.Write(items.Bytes())
	out.WriteByte(']')
}

// answer is the response to a batch or transaction: an entry for each entry, in its place.
func answer(kind string, r request, entries []*entry) ([]byte, error) {
	b := newBundle(kind, "", time.Time{})
	for _, e := range entries {
		b.begin("")
		if e.fail != nil {
			b.failure(inEntry(e.fail, e.index))
			b.end()
			continue
		}
		body, err := shown(r.prefer, e.result)
		if err != nil {
			return nil, err
		}
		if body != nil && (e.method == http.MethodGet || e.result.write && r.prefer.returns == "representation") {
			member(&b.entries, "resource", body)
		}
		base := ""
		if e.result.write && e.result.status != http.StatusNoContent {
			base = r.base
		}
		if r.prefer.returns == "OperationOutcome" && e.result.write {
			e.result.issues = append(e.result.issues, done)
		}
		b.response(base, e.result)
		b.end()
	}
	return b.bytes(), nil
}

// done is what an OperationOutcome says of a write that succeeded.
var done = fault.Issue{Severity: fault.SeverityInformation, Rule: fhir.RuleValid, Detail: "The resource was written."}

// shown is the body of a result: of a write, what was written unless the client prefers
// less; of a read, what was asked for.
func shown(p prefer, out result) ([]byte, error) {
	switch {
	case !out.write || out.version == nil || out.version.Deleted:
		return out.body, nil
	case p.returns == "minimal":
		return nil, nil
	case p.returns == "OperationOutcome":
		return fhir.Outcome([]fault.Issue{done}), nil
	}
	return present(*out.version)
}
