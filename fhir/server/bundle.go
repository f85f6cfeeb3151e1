package server

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// entry is one entry of a batch or transaction.
type entry struct {
	index   int
	fullURL string
	change
	fail   error // why it cannot be performed
	wrote  bool  // the draft is the version of result
	result result
}

// methods in the order in which a transaction performs them (FHIR R4, http.html#trules).
var methods = []string{http.MethodDelete, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodGet, http.MethodHead}

func (e *entry) reads() bool {
	return e.method == http.MethodGet || e.method == http.MethodHead
}

// interactions performs a Bundle of type batch or transaction.
func (s *Server) interactions(ctx context.Context, r request) (result, error) {
	d, err := read("Bundle", r.body)
	if err != nil {
		return result{}, err
	}
	kind, _ := d.root.Get("type").Text(d.raw)
	if kind != "batch" && kind != "transaction" {
		return result{}, refused("Bundle.type", "bundle-type", "Only a batch or a transaction can be performed.", "Send a Bundle of type batch or transaction, or POST the Bundle to /Bundle to store it.")
	}
	entries, err := s.entries(d, r)
	if err != nil {
		return result{}, err
	}
	perform := s.transaction
	if kind == "batch" {
		perform = s.batch
	}
	if err := perform(ctx, entries); err != nil {
		return result{}, err
	}
	body, err := answer(kind+"-response", r, entries)
	return result{status: http.StatusOK, body: body, typ: "Bundle"}, err
}

// entries reads the entries of a Bundle. What is wrong with one of them is in its fail.
func (s *Server) entries(d draft, r request) ([]*entry, error) {
	list := d.root.Get("entry").Elements()
	if len(list) > s.maxEntries {
		return nil, refused("Bundle.entry", "too-many-entries", "The Bundle has more than "+strconv.Itoa(s.maxEntries)+" entries.", "Send several Bundles.")
	}
	out := make([]*entry, len(list))
	for i := range list {
		out[i] = s.entry(d.raw, &list[i], r)
		out[i].index = i
	}
	return out, nil
}

func (s *Server) entry(text []byte, v *rawjson.Value, r request) *entry {
	get := func(v *rawjson.Value, name string) string {
		out, _ := v.Get(name).Text(text)
		return out
	}
	q := v.Get("request")
	e := &entry{fullURL: get(v, "fullUrl")}
	e.request = request{
		method: get(q, "method"), base: r.base, prefer: r.prefer, body: v.Get("resource").Raw(text),
		conditions: conditions{get(q, "ifMatch"), get(q, "ifNoneMatch"), get(q, "ifNoneExist"), get(q, "ifModifiedSince")},
	}
	if e.fail = s.ready(e, get(q, "url")); e.fail != nil {
		return e
	}
	return e
}

// ready reads and checks what an entry asks for.
func (s *Server) ready(e *entry, address string) error {
	if !slices.Contains(methods, e.method) {
		return malformed("request.method", "bundle-entry", "The entry has no request with a method that FHIR R4 has.", "Set request.method.")
	}
	var err error
	if e.target, err = s.entryTarget(e.base, address); err != nil {
		return err
	}
	if e.reads() {
		return nil
	}
	if e.method == http.MethodPatch {
		if e.body, err = patchOf(e.body); err != nil {
			return err
		}
	}
	e.change, err = s.prepare(e.request)
	return err
}

var errPatchEntry = refused("Binary", "json-patch", "The patch is not a Binary with a JSON Patch.", "Send a Binary of contentType "+jsonPatchType+".")

// patchOf takes a JSON Patch out of the Binary that carries it in a Bundle.
func patchOf(raw []byte) ([]byte, error) {
	d, err := read("Binary", raw)
	if err != nil {
		return nil, errPatchEntry.Because(err)
	}
	data, _ := d.root.Get("data").Text(raw)
	if kind, _ := d.root.Get("contentType").Text(raw); kind != jsonPatchType {
		return nil, errPatchEntry
	}
	out, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return nil, errPatchEntry.Because(err)
	}
	return out, nil
}

// batch performs each entry for itself. The writes share a commit; one that fails leaves
// no trace. It fails as a whole when the store does, before anything is done.
func (s *Server) batch(ctx context.Context, entries []*entry) error {
	write := func(ctx context.Context, tx *store.Tx) error {
		for _, e := range ordered(entries) {
			if e.fail != nil || e.reads() {
				continue
			}
			e.fail = tx.Nested(func() (err error) {
				e.result, err = s.apply(ctx, tx, e.change)
				return err
			})
		}
		return nil
	}
	view := func(tx *store.Tx) error {
		for _, e := range entries {
			if e.fail == nil && e.reads() {
				e.result, e.fail = s.view(ctx, tx, e.request)
			}
		}
		return nil
	}
	isOpen := func(reads bool) bool {
		return slices.ContainsFunc(entries, func(e *entry) bool { return e.fail == nil && e.reads() == reads })
	}
	writes := isOpen(false)
	if writes {
		if err := s.store.Update(ctx, write); err != nil {
			return err
		}
	}
	if !isOpen(true) {
		return nil
	}
	err := s.store.View(ctx, view)
	if !writes {
		return err
	}
	for _, e := range entries { // what was written stays written
		if err != nil && e.fail == nil && e.reads() {
			e.fail = err
		}
	}
	return nil
}

// ordered gives the entries in the order in which they are performed.
func ordered(entries []*entry) []*entry {
	out := slices.Clone(entries)
	slices.SortStableFunc(out, func(a, b *entry) int { return slices.Index(methods, a.method) - slices.Index(methods, b.method) })
	return out
}

// failures is one fault of everything that is wrong with the entries, nil when nothing is.
func failures(entries []*entry) error {
	var all *fault.Error
	for _, e := range entries {
		if e.fail == nil {
			continue
		}
		var f *fault.Error
		if !errors.As(inEntry(e.fail, e.index), &f) {
			return e.fail
		}
		if all == nil {
			all = f
			continue
		}
		all = all.With(f.Issues...)
	}
	if all == nil {
		return nil
	}
	return all
}
