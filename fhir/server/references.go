package server

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// references puts the ids of this server in place of the names that entries have in the
// Bundle (FHIR R4, http.html#trules): in references, in elements of type uri, url, oid and
// uuid, and in links of narratives. Only those bytes change. A Bundle in an entry is a whole
// of its own, perhaps signed, and is left alone; so are resources within Parameters.
func (w *work) references(context.Context) error {
	return w.each(func(e *entry) error {
		if e.result.version != nil || e.draft.typ == "Bundle" {
			return nil
		}
		var edits []rawjson.Edit
		var unknown error
		schema.Walk(e.draft.raw, e.draft.root, func(v *rawjson.Value, kind string) {
			edit, err := w.relink(e, v, kind)
			if err != nil && unknown == nil {
				unknown = err
			}
			if edit != nil {
				edits = append(edits, *edit)
			}
		})
		if unknown != nil || len(edits) == 0 {
			return unknown
		}
		return e.rewrite(edits)
	}, http.MethodPost, http.MethodPut)
}

// rewrite changes the text of an entry.
func (e *entry) rewrite(edits []rawjson.Edit) error {
	raw, err := rawjson.Apply(e.draft.raw, edits...)
	if err != nil {
		return err
	}
	if e.draft, err = read(e.draft.typ, raw); err != nil {
		return err
	}
	e.draft, err = e.draft.indexed()
	return err
}

// relink gives the edit for one value, nil when it names no entry.
func (w *work) relink(e *entry, v *rawjson.Value, kind string) (*rawjson.Edit, error) {
	text := e.draft.raw
	switch kind {
	case "Reference":
		at := v.Get("reference")
		name, ok := at.Text(text)
		if !ok {
			return nil, nil //nolint:nilnil // no edit
		}
		if to := w.link(e, name); to != "" {
			return replace(at, to), nil
		}
		if strings.HasPrefix(name, "urn:uuid:") {
			return nil, refused(e.draft.typ, "unknown-reference", "A reference names an entry that the transaction does not have.", "Send the entry, or refer to a resource of this server as Type/id.")
		}
	case "uri", "url", "oid", "uuid":
		name, ok := v.Text(text)
		if to := w.links[name]; ok && to != "" {
			return replace(v, to), nil
		}
	case "xhtml":
		if div, ok := v.Text(text); ok {
			if to := w.narrative(div); to != div {
				return replace(v, to), nil
			}
		}
	}
	return nil, nil //nolint:nilnil // no edit
}

func replace(v *rawjson.Value, to string) *rawjson.Edit {
	edit := v.Replace(rawjson.Quote(to))
	return &edit
}

// link gives what a reference in an entry means: by the name of another entry, or
// relative to its own (FHIR R4, bundle.html#references). A fragment stays.
func (w *work) link(e *entry, name string) string {
	name, fragment, found := strings.Cut(name, "#")
	if found {
		fragment = "#" + fragment
	}
	if to := w.links[name]; to != "" {
		return to + fragment
	}
	root, ok := strings.CutSuffix(e.fullURL, "/"+lastTwo(e.fullURL))
	if !ok || !strings.HasPrefix(root, "http") || strings.Contains(name, ":") {
		return ""
	}
	if to := w.links[root+"/"+name]; to != "" && to != name {
		return to + fragment
	}
	return ""
}

// lastTwo gives Type/id at the end of an address.
func lastTwo(address string) string {
	parts := strings.Split(address, "/")
	if len(parts) < 3 {
		return ""
	}
	return strings.Join(parts[len(parts)-2:], "/")
}

// anchor is an attribute of a narrative that links.
var anchor = regexp.MustCompile(`(?:href|src)=(?:"[^"]*"|'[^']*')`)

// narrative replaces the links of a div to entries.
func (w *work) narrative(div string) string {
	return anchor.ReplaceAllStringFunc(div, func(found string) string {
		at := strings.IndexByte(found, '=') + 2 // behind the quote
		if to := w.links[found[at:len(found)-1]]; to != "" {
			return found[:at] + to + found[len(found)-1:]
		}
		return found
	})
}

// resolveConditional replaces references such as Patient?identifier=… by the one resource
// that matches. It reports whether there were any.
func (w *work) resolveConditional(ctx context.Context, e *entry) (bool, error) {
	if e.draft.typ == "Bundle" {
		return false, nil
	}
	var edits []rawjson.Edit
	var failed error
	schema.Walk(e.draft.raw, e.draft.root, func(v *rawjson.Value, kind string) {
		if kind != "Reference" || failed != nil {
			return
		}
		at := v.Get("reference")
		name, _ := at.Text(e.draft.raw)
		typ, query, found := strings.Cut(name, "?")
		if !found || !schema.IsResource(typ) {
			return
		}
		to, err := w.byCriteria(ctx, e.base, typ, query)
		if err != nil {
			failed = err
			return
		}
		edits = append(edits, *replace(at, to))
	})
	if failed != nil || len(edits) == 0 {
		return false, failed
	}
	return true, e.rewrite(edits)
}

func (w *work) byCriteria(ctx context.Context, base, typ, query string) (string, error) {
	criteria, err := url.ParseQuery(query)
	if err != nil {
		return "", errCriteria
	}
	matches, err := w.server.matches(ctx, w.tx, base, typ, criteria)
	if err != nil {
		return "", err
	}
	if len(matches) != 1 {
		return "", fault.New(fault.PreconditionFailed, "conditional-reference", "The criteria of a reference do not match exactly one resource.").With(fault.Issue{
			Path: typ, Rule: "conditional-reference", Detail: "None or several resources match.", Fix: "Refer to the resource by its id, or send criteria that match it alone.",
		})
	}
	return typ + "/" + matches[0].ID, nil
}
