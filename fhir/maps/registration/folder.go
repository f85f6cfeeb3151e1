package registration

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Folder is a folder (profile DDCCFolder) in one version, as a server has it. What is not
// said here about it is kept as it came.
type Folder struct {
	id      string
	version string
	members map[string]json.RawMessage
	entries []json.RawMessage
	names   []string // of the entries: ids of DocumentReferences, empty for others
}

var errFolder = fault.New(fault.Upstream, "folder-unusable", "The FHIR server has the folder in a form that cannot be used.")

// ReadFolder reads the List raw with the id and version that the server has it under.
// Errors: Upstream.
func ReadFolder(id, version string, raw []byte) (Folder, error) {
	f := Folder{id: id, version: version}
	if !idForm.MatchString(id) || !idForm.MatchString(version) {
		return Folder{}, errFolder // without versions two writers would lose each other's entries
	}
	if json.Unmarshal(raw, &f.members) != nil || text(f.members["resourceType"]) != "List" {
		return Folder{}, errFolder
	}
	if entries, ok := f.members["entry"]; ok && json.Unmarshal(entries, &f.entries) != nil {
		return Folder{}, errFolder
	}
	for _, e := range f.entries {
		var in listEntry
		if json.Unmarshal(e, &in) != nil {
			return Folder{}, errFolder
		}
		f.names = append(f.names, nameOf(in.Item.Reference))
	}
	return f, nil
}

func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// nameOf is the id of the DocumentReference that a reference points at, relative or not, in
// any version.
func nameOf(ref string) string {
	ref, _, _ = strings.Cut(ref, "/_history/")
	const typ = "DocumentReference/"
	at := strings.LastIndex(ref, typ)
	if at < 0 || at > 0 && ref[at-1] != '/' {
		return ""
	}
	if id := ref[at+len(typ):]; idForm.MatchString(id) {
		return id
	}
	return ""
}

// Holds reports whether the folder has an entry for the document of a certificate.
func (f Folder) Holds(certificateID string) bool {
	return slices.Contains(f.names, documentReferenceID(certificateID))
}

// with is the entry of a transaction that adds DocumentReferences which the folder does not
// have yet, ahead of the first that belongs to a certificate in later.
func (f Folder) with(ids, later []string, at string) (entry, error) {
	place := len(f.entries)
	for _, certificate := range later {
		if i := slices.Index(f.names, documentReferenceID(certificate)); i >= 0 {
			place = min(place, i)
		}
	}
	entries := slices.Clone(f.entries[:place])
	for _, id := range ids {
		if slices.Contains(f.names, id) {
			continue
		}
		raw, err := json.Marshal(listEntry{reference{Reference: fullURL("DocumentReference", id)}})
		if err != nil {
			return entry{}, err
		}
		entries = append(entries, raw)
	}
	return f.changed(append(entries, f.entries[place:]...), at)
}

// without is the entry of a transaction that removes the DocumentReferences, or leaves the
// folder as it is but for its version: who read it before must not write it afterwards.
func (f Folder) without(ids []string, at string) (entry, error) {
	var entries []json.RawMessage
	for i, e := range f.entries {
		if !slices.Contains(ids, f.names[i]) {
			entries = append(entries, e)
		}
	}
	return f.changed(entries, at)
}

// changed writes the folder with other entries over the version that was read. Its date is
// never what it was: a server may take an update that changes nothing for none.
func (f Folder) changed(entries []json.RawMessage, at string) (entry, error) {
	members := maps.Clone(f.members)
	delete(members, "entry")
	if len(entries) > 0 {
		delete(members, "emptyReason") // only a list without entries may have one
		members["entry"] = array(entries)
	}
	date, err := json.Marshal(f.next(at))
	if err != nil {
		return entry{}, err
	}
	members["date"] = date
	delete(members, "_date")
	return entry{
		FullURL: fullURL("List", f.id), Resource: members,
		Request: request{Method: http.MethodPut, URL: "List/" + f.id, IfMatch: `W/"` + f.version + `"`},
	}, nil
}

// array writes elements as they are; the encoder of the library would escape some characters.
func array(elements []json.RawMessage) json.RawMessage {
	parts := make([][]byte, len(elements))
	for i, e := range elements {
		parts[i] = e
	}
	return slices.Concat([]byte{'['}, bytes.Join(parts, []byte{','}), []byte{']'})
}

// next is at, or a second later than the present date where that is not earlier.
func (f Folder) next(at string) string {
	was, err := time.Parse(time.RFC3339Nano, text(f.members["date"]))
	wanted, wantedErr := time.Parse(time.RFC3339, at)
	if err != nil || wantedErr != nil || was.Before(wanted) {
		return at
	}
	return instant(was.Add(time.Second))
}
