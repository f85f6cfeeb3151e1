package server

import (
	"context"
	"net/http"
	"net/url"

	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// change is a write whose input has been read and checked before the writer's time is
// taken for it.
type change struct {
	request
	draft  draft               // of POST and PUT
	patch  []rawjson.Operation // of PATCH
	create url.Values          // If-None-Exist
	newID  string              // for what the write creates
}

// prepare reads and checks the input of a write.
func (s *Server) prepare(r request) (change, error) {
	c := change{request: r, newID: s.newID()}
	t := r.target
	if t.operation != "" {
		return c, errAddress
	}
	if t.typ == "" || t.history || t.search {
		return c, fault.New(fault.MethodNotAllowed, "method-not-allowed", "The method is not allowed for this address.")
	}
	var err error
	switch r.method {
	case http.MethodPost:
		if t.id != "" {
			return c, fault.New(fault.MethodNotAllowed, "method-not-allowed", "A resource is created at the address of its type, or by PUT.")
		}
		if c.create, err = parseCriteria(r.ifNoneExist); err == nil {
			c.draft, err = newDraft(t.typ, r.body, r.prefer.strict)
		}
	case http.MethodPut:
		if t.id != "" && !schema.IsID(t.id) {
			return c, malformed("", "id", "The id in the address is not a logical id.", "Use 1 to 64 letters, digits, hyphens and dots.")
		}
		if c.draft, err = newDraft(t.typ, r.body, r.prefer.strict); err == nil && t.id != "" && c.draft.id != t.id {
			err = malformed(t.typ+".id", "id", "The resource does not have the id of the address.", "Send the id of the address in the resource.")
		}
	case http.MethodPatch:
		c.patch, err = parsePatch(r.body)
	}
	return c, err
}

// parseCriteria reads the value of If-None-Exist; nil when it is empty.
func parseCriteria(header string) (url.Values, error) {
	if header == "" {
		return nil, nil
	}
	q, err := url.ParseQuery(header)
	if err != nil {
		return nil, malformed("If-None-Exist", "query", "The criteria cannot be read.", "Percent-encode them (RFC 3986).")
	}
	return q, nil
}

// apply performs a write.
func (s *Server) apply(ctx context.Context, tx *store.Tx, c change) (result, error) {
	if c.method == http.MethodPost {
		return s.create(ctx, tx, c)
	}
	c, err := s.resolve(ctx, tx, c)
	if err != nil {
		return result{}, err
	}
	switch c.method {
	case http.MethodPut:
		return s.update(ctx, tx, c)
	case http.MethodPatch:
		return s.patch(ctx, tx, c)
	default:
		return s.remove(ctx, tx, c)
	}
}

// resolve gives a conditional write the id of the one resource it means; none when there
// is no such resource.
func (s *Server) resolve(ctx context.Context, tx *store.Tx, c change) (change, error) {
	if c.target.id != "" {
		return c, nil
	}
	matches, err := s.matches(ctx, tx, c.base, c.target.typ, c.target.criteria())
	switch {
	case err != nil:
		return c, err
	case len(matches) > 1:
		return c, errSelective
	case len(matches) == 1:
		c.target.id = matches[0].ID
	}
	return c, nil
}

// create is create, and conditional create with If-None-Exist.
func (s *Server) create(ctx context.Context, tx *store.Tx, c change) (result, error) {
	if c.create != nil {
		matches, err := s.matches(ctx, tx, c.base, c.target.typ, c.create)
		if err != nil {
			return result{}, err
		}
		if len(matches) > 1 {
			return result{}, errSelective
		}
		if len(matches) == 1 {
			return result{status: http.StatusOK, version: &matches[0], write: true}, nil
		}
	}
	return s.put(ctx, tx, c, c.newID, true)
}

// update is update, update as create, and conditional update once it is resolved.
func (s *Server) update(ctx context.Context, tx *store.Tx, c change) (result, error) {
	id := c.target.id
	switch {
	case id == "" && c.draft.id != "":
		if id = c.draft.id; !schema.IsID(id) {
			return result{}, malformed(c.draft.typ+".id", "id", "The id is not a logical id.", "Use 1 to 64 letters, digits, hyphens and dots.")
		}
	case id == "":
		id = c.newID
	case c.draft.id != "" && c.draft.id != id:
		return result{}, malformed(c.draft.typ+".id", "id", "The resource that matches the criteria has another id.", "Leave the id out of the resource, or send that one.")
	}
	current, found, err := tx.Get(ctx, c.draft.typ, id)
	if err != nil {
		return result{}, err
	}
	if err := c.check(current, found); err != nil {
		return result{}, err
	}
	if c.target.id == "" && found && !current.Deleted { // criteria that do not match it must not replace it
		return result{}, fault.New(fault.Conflict, "id-taken", "A resource with this id exists and does not match the criteria.")
	}
	return s.put(ctx, tx, c, id, !found || current.Deleted)
}

// remove is delete, and conditional delete once it is resolved. Deleting what is not there
// succeeds (FHIR R4, http.html#delete).
func (s *Server) remove(ctx context.Context, tx *store.Tx, c change) (result, error) {
	gone := result{status: http.StatusNoContent, write: true}
	if c.target.id == "" {
		return gone, c.check(store.Version{}, false)
	}
	current, found, err := tx.Get(ctx, c.target.typ, c.target.id)
	if err != nil {
		return result{}, err
	}
	if err := c.check(current, found); err != nil {
		return result{}, err
	}
	if !found || current.Deleted {
		return gone, nil
	}
	v, err := tx.Put(ctx, store.Version{Type: current.Type, ID: current.ID, Method: http.MethodDelete, Updated: s.clock()})
	if err != nil {
		return result{}, err
	}
	gone.version = &v
	return gone, index.Remove(ctx, tx.SQL(), v.RowID)
}

// put makes the draft the current version of its resource.
func (s *Server) put(ctx context.Context, tx *store.Tx, c change, id string, created bool) (result, error) {
	v, err := tx.Put(ctx, store.Version{Type: c.draft.typ, ID: id, Method: c.method, Raw: c.draft.raw, Updated: s.clock()})
	if err != nil {
		return result{}, err
	}
	if err := index.Write(ctx, tx.SQL(), v.RowID, c.draft.values); err != nil {
		return result{}, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return result{status: status, version: &v, write: true}, nil
}
