package shlink

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// The limits of a manifest that is read.
const (
	maxManifest = 32 << 20 // bytes
	maxFiles    = 64
	maxLocation = 2 << 10 // characters
)

// StatusFinal says that a file will not change.
const StatusFinal = "finalized"

// Manifest lists the files of a link.
type Manifest struct {
	Files []File `json:"files"`
}

// File is one entry. It has Location or Embedded or both.
type File struct {
	ContentType string `json:"contentType"`
	Location    string `json:"location,omitzero"`    // URL of the JWE, good for an hour at most
	Embedded    string `json:"embedded,omitzero"`    // the JWE
	LastUpdated string `json:"lastUpdated,omitzero"` // ISO 8601
	Status      string `json:"status,omitzero"`
	FHIRVersion string `json:"fhirVersion,omitzero"`
}

// ParseManifest reads the answer to a manifest request; members it does not know are
// ignored. Errors: *Error.
func ParseManifest(body []byte) (Manifest, error) {
	var m Manifest
	if len(body) > maxManifest {
		return m, &Error{"manifest", "must not be larger than 32 MiB; ask for locations instead of embedded files"}
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return Manifest{}, &Error{"manifest", "must be a JSON object with files; ask again"}
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return Manifest{}, &Error{"files", "must be from 1 to 64; ask for another link"}
	}
	for i, f := range m.Files {
		if err := f.check(); err != nil {
			return Manifest{}, under(fmt.Sprintf("files[%d]", i), err)
		}
	}
	return m, nil
}

func (f File) check() error {
	if f.ContentType == "" {
		return &Error{"contentType", "must be there; ask for another link"}
	}
	if f.Embedded == "" && f.Location == "" {
		return &Error{"location", "must be there unless the file is embedded; ask for another link"}
	}
	if len(f.Embedded) > maxJWE {
		return &Error{"embedded", "must not be larger than 4 MiB of content; ask for locations"}
	}
	if f.Location == "" {
		return nil
	}
	if err := checkURL(f.Location, maxLocation); err != nil {
		return &Error{"location", "must be an https URL of at most 2,048 characters; ask for another link"}
	}
	return nil
}

// Known reports whether contentType is one that a file of a link may have.
func Known(contentType string) bool {
	return contentType == HealthCard || contentType == FHIR || contentType == APIAccess
}
