package transaction

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// The two bodies of a transaction.
const (
	PartRequest  = "request"
	PartResponse = "response"
)

// Bodies are what was measured of a request while it passed.
type Bodies struct {
	Request, Response         *Meter
	RequestType, ResponseType string // Content-Type; kept is the media type, if it is one of ours
	Withheld                  bool   // they may not be kept
}

// media are the types that are kept by name; what a caller sends as Content-Type is no word
// of ours.
var media = []string{
	"application/fhir+json", "application/json", "application/json+openhim", "application/problem+json", "application/pdf", "image/png",
	"application/hl7-v2", "x-application/hl7-v2+er7", "text/csv", "application/fhir+ndjson",
}

// unknownMedia is every other type.
const unknownMedia = "application/octet-stream"

func mediaOf(contentType string) string {
	name, _, _ := strings.Cut(contentType, ";")
	if name = strings.ToLower(strings.TrimSpace(name)); slices.Contains(media, name) {
		return name
	}
	return unknownMedia
}

// box seals bodies; a body opens for its own transaction and part alone.
type box struct{ *seal.Box }

func newBox(secret []byte) (box, error) {
	b, err := seal.New(seal.Derive(secret, "transaction bodies"))
	return box{b}, err
}

func bodyID(id uuid.UUID, part string) string { return place(id) + "/" + part }

func (b box) document(id uuid.UUID, part, contentType string, body []byte, expires time.Time) docstore.Document {
	plain := slices.Concat([]byte(mediaOf(contentType)), []byte{'\n'}, body)
	at := bodyID(id, part)
	return docstore.Document{ID: at, Expires: expires, Body: b.Seal("transaction-body:"+at, plain)}
}

// open gives the media type and the bytes.
func (b box) open(d docstore.Document) (string, []byte, error) {
	plain, err := b.Open("transaction-body:"+d.ID, d.Body)
	if err != nil {
		return "", nil, err
	}
	kind, body, _ := bytes.Cut(plain, []byte{'\n'})
	return string(kind), body, nil
}
