package server

import (
	"context"
	"errors"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/server/rawjson"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// maxOperations bounds a JSON Patch: each operation reads the whole resource.
const maxOperations = 100

// parsePatch reads a JSON Patch.
func parsePatch(body []byte) ([]rawjson.Operation, error) {
	operations, err := rawjson.ParsePatch(body, limits, maxOperations)
	if err != nil {
		return nil, patchFault(err)
	}
	return operations, nil
}

// patchFault says which operation is wrong. One that cannot be read is 400, one that does
// not fit the resource 422 (FHIR R4, http.html#patch).
func patchFault(err error) error {
	var p *rawjson.PatchError
	if !errors.As(err, &p) {
		return malformed("", "json", "The patch cannot be read, or its result would be too large or too deep.", "Send a JSON Patch (RFC 6902).").Because(err)
	}
	path := ""
	if p.Index >= 0 {
		path = "/" + strconv.Itoa(p.Index)
	}
	detail := "Operation " + strconv.Itoa(p.Index+1) + ": " + p.Reason + "."
	if p.Read {
		return malformed(path, "json-patch", detail, "Send a JSON Patch (RFC 6902).").Because(err)
	}
	return refused(path, "json-patch", detail, "Read the resource and make a patch that fits it.").Because(err)
}

// patch changes the current version as it is read. What the patch does not touch stays
// as it was sent.
func (s *Server) patch(ctx context.Context, tx *store.Tx, c change) (result, error) {
	if c.target.id == "" {
		return result{}, errNotFound
	}
	current, err := find(ctx, tx, target{typ: c.target.typ, id: c.target.id})
	if err != nil {
		return result{}, err
	}
	if err := c.check(current, true); err != nil {
		return result{}, err
	}
	text, err := present(current)
	if err != nil {
		return result{}, err
	}
	if text, err = rawjson.Patch(text, c.patch, limits, int(s.maxBody)); err != nil {
		return result{}, patchFault(err)
	}
	if c.draft, err = newDraft(current.Type, text, c.prefer.strict); err != nil {
		return result{}, err
	}
	if c.draft.id != current.ID {
		return result{}, refused(current.Type+".id", "json-patch", "The patch changes or removes the id.", "Leave the id as it is.")
	}
	return s.put(ctx, tx, c, current.ID, false)
}

const jsonPatchType = "application/json-patch+json"
