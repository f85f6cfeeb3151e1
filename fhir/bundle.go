package fhir

import "github.com/trustedparty/ddcc-gateway/fhir/internal/element"

// Bundle is the frame of a Bundle: what routes and batches need, with the entries'
// bytes as they came. The model library is not used: re-serialising an entry would
// change what was sent.
type Bundle struct {
	ID    string
	Type  string
	Entry []BundleEntry
	Raw   []byte // the bytes as they came; not a copy
}

// BundleEntry is one entry; Resource is a part of Bundle.Raw.
type BundleEntry struct {
	FullURL      string
	ResourceType string
	Resource     []byte // nil when the entry has none
	HasRequest   bool
	Method       string // request.method
	URL          string // request.url
	IfNoneExist  string // request.ifNoneExist
	IfMatch      string // request.ifMatch
}

// ParseBundle reads raw. The error is a fault.Malformed.
func ParseBundle(raw []byte) (Bundle, error) {
	var log element.Log
	e, err := open(raw, "Bundle", &log)
	if err != nil {
		return Bundle{}, err
	}
	out := Bundle{ID: e.Child("id").Text(), Type: e.Child("type").Text(), Raw: raw}
	for _, x := range e.Child("entry").List() {
		if !x.Object() {
			continue
		}
		request := x.Child("request")
		entry := BundleEntry{
			FullURL:     x.Child("fullUrl").Text(),
			HasRequest:  request.Object(),
			Method:      request.Child("method").Text(),
			URL:         request.Child("url").Text(),
			IfNoneExist: request.Child("ifNoneExist").Text(),
			IfMatch:     request.Child("ifMatch").Text(),
		}
		entry.Resource, entry.ResourceType = inner(raw, x.Child("resource"))
		out.Entry = append(out.Entry, entry)
	}
	return out, closeLog(&log, "Bundle")
}
