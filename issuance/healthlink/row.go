package healthlink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// Collections of the store.
const (
	links = "health-links"
	files = "health-link-files"
	stops = "health-link-stops"
)

// An id in a URL is 256 random bits in base64url.
const (
	idBytes  = 32
	idLength = 43
)

// row is what is known of a link. It is found by a keyed digest of the id in the URL, so
// that the store gives no URL away.
type row struct {
	Issuer    string    `json:"issuer"`
	CreatedAt time.Time `json:"createdAt"`
	Direct    bool      `json:"direct,omitempty"`
	Withdrawn bool      `json:"withdrawn,omitempty"`
	Files     []entry   `json:"files"`
	Lock      *lock     `json:"lock,omitempty"` // nil: no passcode
}

// entry is one file; its ciphertext is a document of its own.
type entry struct {
	ContentType string `json:"contentType"`
	Length      int    `json:"length"` // of the JWE, in characters
}

// active reports whether the link answers.
func (r row) active() bool {
	return !r.Withdrawn && (r.Lock == nil || r.Lock.Failed < Attempts)
}

// handle is the id of the row of the link with that id in its URL; false for no id.
func (s *Service) handle(id string) (string, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(id) != idLength || len(raw) != idBytes {
		return "", false
	}
	return s.digest("link", id), true
}

func (s *Service) digest(kind, value string) string {
	return base64.RawURLEncoding.EncodeToString(seal.Pseudonym(s.rows, kind, value))
}

// certificateKey is the index key of the links of a certificate.
func (s *Service) certificateKey(id string) string { return s.digest("certificate", id) }

func fileID(handle string, n int) string { return handle + "." + strconv.Itoa(n) }

// load gives the row with its document; NotFound when there is none any more.
func (s *Service) load(ctx context.Context, handle string) (docstore.Document, row, error) {
	doc, err := s.store.Get(ctx, links, handle)
	if errors.Is(err, docstore.ErrNotFound) || err == nil && !s.now().Before(doc.Expires) {
		return docstore.Document{}, row{}, errLink
	}
	if err != nil {
		return docstore.Document{}, row{}, errStore.Because(err)
	}
	var r row
	if err := json.Unmarshal(doc.Body, &r); err != nil {
		return docstore.Document{}, row{}, fault.From(err)
	}
	return doc, r, nil
}

// find gives the handle and row of an active link by the id in its URL.
func (s *Service) find(ctx context.Context, id string) (string, row, error) {
	handle, ok := s.handle(id)
	if !ok {
		return "", row{}, errLink
	}
	_, r, err := s.load(ctx, handle)
	if err == nil && !r.active() {
		err = errLink
	}
	return handle, r, err
}

// change rewrites a row by compare-and-swap and gives what was written. edit is called
// again when somebody else was faster; its error ends the attempt.
func (s *Service) change(ctx context.Context, handle string, edit func(*row) error) (row, error) {
	for {
		doc, r, err := s.load(ctx, handle)
		if err != nil {
			return row{}, err
		}
		if err := edit(&r); err != nil {
			return row{}, err
		}
		if doc.Body, err = json.Marshal(r); err != nil {
			return row{}, fault.From(err)
		}
		_, won, err := docstore.Follow(ctx, s.store, links, doc)
		if err != nil {
			return row{}, errStore.Because(err)
		}
		if won {
			return r, nil
		}
	}
}

// ciphertext gives one file of a link.
func (s *Service) ciphertext(ctx context.Context, handle string, n int) (string, error) {
	doc, err := s.store.Get(ctx, files, fileID(handle, n))
	switch {
	case errors.Is(err, docstore.ErrNotFound): // withdrawn since its row was read
		return "", errLink
	case err != nil:
		return "", errStore.Because(err)
	}
	return string(doc.Body), nil
}

// discard removes the ciphertext of a link.
func (s *Service) discard(ctx context.Context, handle string, count int) error {
	for n := range count {
		doc, err := s.store.Get(ctx, files, fileID(handle, n))
		if err == nil { // files are written once: the version read is the only one
			err = s.store.Delete(ctx, files, doc.ID, doc.Version)
		}
		if err != nil && !errors.Is(err, docstore.ErrNotFound) {
			return errStore.Because(err)
		}
	}
	return nil
}
