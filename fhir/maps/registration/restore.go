package registration

import (
	"encoding/json"
	"strings"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var errRestore = fault.New(fault.Malformed, "document-unreadable", "The Bundle is not a document that a server has stored.")

// Restore puts the ids of a document's resources back in place where a server has left them out
// because the fullUrl states them: HAPI does so for urn:uuid (its parser option
// "override resource id with bundle entry fullUrl"). Member order and white space are not kept:
// the signature is over the canonical form. Errors: Malformed.
func Restore(bundle []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	var entries []map[string]json.RawMessage
	if json.Unmarshal(bundle, &members) != nil || json.Unmarshal(members["entry"], &entries) != nil {
		return nil, errRestore
	}
	for _, e := range entries {
		id, named := strings.CutPrefix(text(e["fullUrl"]), "urn:uuid:")
		var resource map[string]json.RawMessage
		if json.Unmarshal(e["resource"], &resource) != nil || resource == nil {
			return nil, errRestore
		}
		if _, has := resource["id"]; has || !named || !isUUID(id) {
			continue
		}
		resource["id"] = json.RawMessage(`"` + id + `"`)
		raw, err := encode(resource)
		if err != nil {
			return nil, err
		}
		e["resource"] = raw
	}
	raw, err := encode(entries)
	if err != nil {
		return nil, err
	}
	members["entry"] = raw
	return encode(members)
}
