package server

import (
	"context"
	"net/http"

	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// view performs an interaction that changes nothing.
func (s *Server) view(ctx context.Context, tx *store.Tx, r request) (result, error) {
	t := r.target
	switch {
	case t.operation != "":
		return s.operation(ctx, tx, r)
	case t.version > 0, t.id != "" && !t.history:
		return s.read(ctx, tx, r)
	case t.history:
		return s.history(ctx, tx, r)
	default:
		return s.search(ctx, tx, r)
	}
}

// read is read and vread.
func (s *Server) read(ctx context.Context, tx *store.Tx, r request) (result, error) {
	if r.prefer.strict && len(r.target.criteria()) > 0 {
		return result{}, malformed("", "unknown-parameter", "A read has no such parameter.", "Use _format, _pretty, _summary and _elements.")
	}
	v, err := find(ctx, tx, r.target)
	if err != nil {
		return result{}, err
	}
	out := result{status: http.StatusOK, version: &v, typ: v.Type}
	if r.unchanged(v) {
		out.status = http.StatusNotModified
		return out, nil
	}
	out.body, err = present(v)
	return out, err
}

// find gives the version a target names; a deletion is errGone.
func find(ctx context.Context, tx *store.Tx, t target) (store.Version, error) {
	var v store.Version
	var found bool
	var err error
	if t.version > 0 {
		v, found, err = tx.GetVersion(ctx, t.typ, t.id, t.version)
	} else {
		v, found, err = tx.Get(ctx, t.typ, t.id)
	}
	switch {
	case err != nil:
		return v, err
	case !found:
		return v, errNotFound
	case v.Deleted:
		return v, errGone
	}
	return v, nil
}
