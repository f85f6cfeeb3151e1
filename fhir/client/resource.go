package client

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	outcomeType = "OperationOutcome"
	bundleType  = "Bundle"
)

// Resource is a resource as the server has it.
type Resource struct {
	Type, ID     string
	VersionID    string    // empty: the server does not say
	LastModified time.Time // zero: the server does not say
	Raw          []byte    // as the server sent it; nil after a write, which asks for no copy
}

// head is what is read of every resource.
type head struct {
	ResourceType string `json:"resourceType"`
	ID           string `json:"id"`
	Meta         struct {
		VersionID   string `json:"versionId"`
		LastUpdated string `json:"lastUpdated"`
	} `json:"meta"`
}

// readHead checks that raw is one whole JSON object without duplicate members and names a
// resource type.
func readHead(raw []byte) (head, error) {
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		return head{}, errors.New("not JSON") // the error of the reader repeats values
	}
	if !ValidType(h.ResourceType) {
		return head{}, errors.New("no resource type")
	}
	return h, nil
}

func (h head) resource(raw []byte) Resource {
	r := Resource{Type: h.ResourceType, ID: h.ID, VersionID: h.Meta.VersionID, Raw: raw}
	if at, err := time.Parse(time.RFC3339Nano, h.Meta.LastUpdated); err == nil {
		r.LastModified = at.UTC()
	}
	return r
}

// locationForm finds the name of a resource at the end of an address. What is before it
// does not matter: nothing is fetched from there, and servers behind a proxy do not know
// their own address.
var locationForm = regexp.MustCompile(`(?:^|/)([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$`)

// located reads a Location.
func located(location string) (Resource, bool) {
	m := locationForm.FindStringSubmatch(location)
	if m == nil || !ValidID(m[2]) {
		return Resource{}, false
	}
	return Resource{Type: m[1], ID: m[2], VersionID: m[3]}, true
}

// etagVersion reads the version of an ETag (FHIR R4 http.html, "Managing Resource
// Contention"); empty: there is none.
func etagVersion(etag string) string {
	version := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(etag, "W/"), `"`), `"`)
	if !ValidID(version) {
		return ""
	}
	return version
}

// written says which resource a write made or changed: by the resource in the answer, else
// by its Location.
func written(a answer, typ, id string) (Resource, *Failure) {
	r, ok := a.head.resource(a.body), a.head.ResourceType == typ
	switch {
	case ok:
	case len(a.body) > 0 && a.head.ResourceType != outcomeType:
		return Resource{}, nonsense(a, true, "the answer holds a resource of another type")
	default:
		r, ok = located(a.header.Get("Location"))
		if !ok {
			r, ok = located(a.header.Get("Content-Location"))
		}
		if !ok && id != "" { // the request said where
			r, ok = Resource{Type: typ, ID: id}, true
		}
	}
	if !ok || r.Type != typ || !ValidID(r.ID) || id != "" && r.ID != id {
		return Resource{}, nonsense(a, true, "the answer does not say which resource was written, or another one")
	}
	if version := etagVersion(a.header.Get("ETag")); version != "" {
		r.VersionID = version
	}
	if at, err := http.ParseTime(a.header.Get("Last-Modified")); err == nil && r.LastModified.IsZero() {
		r.LastModified = at.UTC()
	}
	return r, nil
}
