package server

import (
	"context"
	"net/http"
	"slices"

	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// transaction performs all entries or none, in the order of FHIR R4, http.html#trules:
// deletions, creations, updates and patches, reads; at last the references by criteria.
func (s *Server) transaction(ctx context.Context, entries []*entry) error {
	if err := distinctNames(entries); err != nil {
		return err
	}
	if err := failures(entries); err != nil {
		return err
	}
	if !slices.ContainsFunc(entries, func(e *entry) bool { return !e.reads() }) {
		return s.store.View(ctx, func(tx *store.Tx) error { return (&work{server: s, tx: tx, entries: entries}).reads(ctx) })
	}
	return s.store.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		w := work{server: s, tx: tx, entries: entries, links: map[string]string{}, written: map[string]bool{}, creators: map[string]*entry{}}
		return w.all(ctx)
	})
}

// distinctNames refuses two entries of one name: what refers to it would mean both (FHIR
// R4, constraint bdl-7).
func distinctNames(entries []*entry) error {
	seen := map[string]bool{}
	for _, e := range entries {
		if e.fullURL != "" && seen[e.fullURL] {
			e.fail = refused("", "duplicate-full-url", "Another entry has the same fullUrl.", "Give each entry a fullUrl of its own.")
		}
		seen[e.fullURL] = true
	}
	return failures(entries)
}

// work is a transaction being performed.
type work struct {
	server   *Server
	tx       *store.Tx
	entries  []*entry
	links    map[string]string // fullUrl to Type/id
	written  map[string]bool   // Type/id of what is created, changed or deleted
	creators map[string]*entry // by criteria that match nothing yet: who creates it
}

func (w *work) all(ctx context.Context) error {
	steps := []func(context.Context) error{w.deletions, w.identities, w.references, w.writes, w.stillAlone, w.conditionalReferences, w.reads}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// each calls use for the entries of some methods, and fails with the first that fails.
func (w *work) each(use func(*entry) error, methods ...string) error {
	for _, e := range ordered(w.entries) {
		if !slices.Contains(methods, e.method) {
			continue
		}
		if err := use(e); err != nil {
			return inEntry(err, e.index)
		}
	}
	return nil
}

var errOverlap = refused("", "identity-overlap", "Another entry of the transaction writes the same resource.", "Write each resource once in a transaction.")

// claim notes that a resource is written, once.
func (w *work) claim(typ, id string) error {
	key := typ + "/" + id
	if w.written[key] {
		return errOverlap
	}
	w.written[key] = true
	return nil
}

func (w *work) deletions(ctx context.Context) error {
	return w.each(func(e *entry) error {
		var err error
		if e.change, err = w.server.resolve(ctx, w.tx, e.change); err != nil {
			return err
		}
		if e.target.id != "" {
			if err := w.claim(e.target.typ, e.target.id); err != nil {
				return err
			}
		}
		e.result, err = w.server.remove(ctx, w.tx, e.change)
		return err
	}, http.MethodDelete)
}

// identities finds out under which id each entry will be found, before any of them is
// written: they refer to each other.
func (w *work) identities(ctx context.Context) error {
	return w.each(func(e *entry) error {
		typ, id, err := e.target.typ, "", error(nil)
		if e.method == http.MethodPost {
			id, err = w.newIdentity(ctx, e)
		} else if e.change, err = w.server.resolve(ctx, w.tx, e.change); err == nil {
			id = w.changedIdentity(e)
		}
		if err != nil {
			return err
		}
		if e.fullURL != "" {
			w.links[e.fullURL] = typ + "/" + id
		}
		if e.result.version != nil || e.create != nil && id != e.newID { // found, not written
			return nil
		}
		return w.claim(typ, id)
	}, http.MethodPost, http.MethodPut, http.MethodPatch)
}

// newIdentity is the id of what a POST creates or finds. Entries with the same criteria
// are one resource.
func (w *work) newIdentity(ctx context.Context, e *entry) (string, error) {
	if e.create == nil {
		return e.newID, nil
	}
	matches, err := w.server.matches(ctx, w.tx, e.base, e.target.typ, e.create)
	switch {
	case err != nil:
		return "", err
	case len(matches) > 1:
		return "", errSelective
	case len(matches) == 1:
		e.result = result{status: http.StatusOK, version: &matches[0], write: true}
		return matches[0].ID, nil
	}
	key := criteriaKey(e)
	if w.creators[key] == nil {
		w.creators[key] = e
	}
	return w.creators[key].newID, nil
}

// changedIdentity is the id of what a PUT or PATCH changes or creates. A PUT whose criteria
// match nothing takes the id of its text, else a new one, and both are fixed here.
func (w *work) changedIdentity(e *entry) string {
	if e.target.id != "" {
		return e.target.id
	}
	if e.draft.id != "" {
		return e.draft.id
	}
	return e.newID
}

func (w *work) writes(ctx context.Context) error {
	return w.each(func(e *entry) error {
		var err error
		switch {
		case e.result.version != nil: // found by its criteria
			return nil
		case e.method == http.MethodPost && w.twin(e) != nil:
			e.result = result{status: http.StatusOK, version: w.twin(e).result.version, write: true}
			return nil
		case e.method == http.MethodPost:
			e.result, err = w.server.put(ctx, w.tx, e.change, e.newID, true)
		case e.method == http.MethodPut:
			e.result, err = w.server.update(ctx, w.tx, e.change)
		default:
			e.result, err = w.server.patch(ctx, w.tx, e.change)
		}
		e.wrote = err == nil
		return err
	}, http.MethodPost, http.MethodPut, http.MethodPatch)
}

// twin is the entry that has created already what e is to create under the same criteria.
func (w *work) twin(e *entry) *entry {
	if e.create == nil || w.creators[criteriaKey(e)] == e {
		return nil
	}
	return w.creators[criteriaKey(e)]
}

// criteriaKey is what If-None-Exist says, in one form.
func criteriaKey(e *entry) string { return e.target.typ + "?" + e.create.Encode() }

// stillAlone refuses a transaction that creates under criteria what another entry of it
// creates, too, under other criteria or none.
func (w *work) stillAlone(ctx context.Context) error {
	return w.each(func(e *entry) error {
		criteria := e.create
		if e.method == http.MethodPut && e.target.id == "" {
			criteria = e.target.criteria()
		}
		if !e.wrote || criteria == nil {
			return nil
		}
		matches, err := w.server.matches(ctx, w.tx, e.base, e.target.typ, criteria)
		if err == nil && len(matches) > 1 {
			err = errSelective
		}
		return err
	}, http.MethodPost, http.MethodPut)
}

// conditionalReferences replaces references by criteria, which may match what the
// transaction wrote.
func (w *work) conditionalReferences(ctx context.Context) error {
	return w.each(func(e *entry) error {
		if !e.wrote {
			return nil
		}
		found, err := w.resolveConditional(ctx, e)
		if err != nil || !found {
			return err
		}
		v := e.result.version
		v.Raw = e.draft.raw
		if err := w.tx.Amend(ctx, v.RowID, v.Raw); err != nil {
			return err
		}
		return index.Write(ctx, w.tx.SQL(), v.RowID, e.draft.values)
	}, http.MethodPost, http.MethodPut)
}

func (w *work) reads(ctx context.Context) error {
	return w.each(func(e *entry) error {
		var err error
		e.result, err = w.server.view(ctx, w.tx, e.request)
		return err
	}, http.MethodGet, http.MethodHead)
}
