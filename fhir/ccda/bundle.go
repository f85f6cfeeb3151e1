package ccda

import (
	"net/url"
	"strings"
)

// bundle writes the Bundle.
func (c *converter) bundle() ([]byte, error) {
	b := newObject().put("resourceType", "Bundle").put("id", c.bundleID())
	if c.options.Type == Document {
		if err := c.documentHead(b); err != nil {
			return nil, err
		}
	}
	b.put("type", string(c.options.Type))
	if c.options.Type == Document {
		b.put("timestamp", c.timestamp())
	}
	entries := make([]*object, 0, len(c.resources))
	for _, r := range c.resources {
		body := newObject().put("resourceType", r.kind).put("id", r.id)
		body.members = append(body.members, r.body.members...)
		entry := newObject().put("fullUrl", r.url()).put("resource", body)
		if c.options.Type == Transaction {
			entry.put("request", r.request())
		}
		entries = append(entries, entry)
	}
	b.put("entry", entries)
	return appendJSON(nil, b), nil
}

// bundleID is another one for each way to convert a document.
func (c *converter) bundleID() string {
	kind := string(c.options.Type)
	if c.options.Vaccinations {
		kind = "vaccinations"
	}
	return c.uuid("Bundle", kind, string(c.digest[:]))
}

// documentHead sets what a FHIR document must have (R4 Bundle, bdl-9).
func (c *converter) documentHead(b *object) error {
	ids := c.identifiers(c.doc.all("id"))
	if len(ids) == 0 || !ids[0].has("system") || !ids[0].has("value") {
		return broken(c.doc, "ccda-no-identifier", RuleRequired, "The document has no id.", "Give ClinicalDocument an id, or convert to another type of Bundle.")
	}
	b.put("identifier", ids[0])
	if c.timestamp() == "" {
		return broken(c.doc, "ccda-no-time", RuleRequired, "The document has no effectiveTime with a date.", "Say when the document was made, or convert to another type of Bundle.")
	}
	return nil
}

// timestamp is the document's time as an instant (R4 Bundle, bdl-10). Of a date it is the
// first instant in UTC, as the element has no lower precision.
func (c *converter) timestamp() string {
	t, _ := parseTime(c.doc.child("effectiveTime").attr("value"))
	switch {
	case len(t) == len("2006-01-02"):
		return t + "T00:00:00Z"
	case len(t) > len("2006-01-02"):
		return t
	default:
		return ""
	}
}

// request makes an entry of a transaction that may be repeated: what has an identifier is
// created if nobody has it, the rest is put under its own id. A Composition has one
// identifier for all its versions and is put.
func (r *resource) request() *object {
	if r.primary == nil || r.kind == "Composition" {
		return newObject().put("method", "PUT").put("url", r.kind+"/"+r.id)
	}
	system, _ := r.primary.get("system").(string)
	value, _ := r.primary.get("value").(string)
	token := searchEscape(value)
	if system != "" {
		token = searchEscape(system) + "|" + token
	}
	return newObject().put("method", "POST").put("url", r.kind).
		put("ifNoneExist", "identifier="+url.QueryEscape(token))
}

// searchEscape is FHIR's escaping of a search value (R4 §3.1.1.4.0.1).
func searchEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `|`, `\|`, `,`, `\,`, `$`, `\$`).Replace(s)
}
