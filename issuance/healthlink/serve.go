package healthlink

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const (
	maxRecipient = 256 // characters
	maxGuess     = 256 // bytes of a passcode that is checked
	// maxEmbedded is the longest file that is put into a manifest, in characters.
	maxEmbedded = 256 << 10
	fhirVersion = "4.0.1"
)

// Request asks for the manifest of a link.
type Request struct {
	Recipient         string // who asks, in words for people; required
	Passcode          string // required by links with the flag P
	EmbeddedLengthMax *int   // longest file to put into the manifest, in characters; nil: ours
}

// Manifest lists the files of the link with that id in its URL. Errors: *WrongPasscode;
// Malformed; NotFound, also for direct links; TooMany; Unavailable.
func (s *Service) Manifest(ctx context.Context, id string, q Request) (shlink.Manifest, error) {
	if err := q.check(); err != nil {
		return shlink.Manifest{}, err
	}
	handle, r, err := s.find(ctx, id)
	if err != nil {
		return shlink.Manifest{}, err
	}
	if r.Direct {
		return shlink.Manifest{}, errLink
	}
	if r.Lock != nil {
		if err := s.unlock(ctx, handle, r.Lock, q.Passcode); err != nil {
			return shlink.Manifest{}, err
		}
	}
	limit := maxEmbedded
	if q.EmbeddedLengthMax != nil {
		limit = min(limit, *q.EmbeddedLengthMax)
	}
	return s.manifest(ctx, id, handle, r, limit)
}

func (s *Service) manifest(ctx context.Context, id, handle string, r row, limit int) (shlink.Manifest, error) {
	m := shlink.Manifest{Files: make([]shlink.File, len(r.Files))}
	for n, e := range r.Files {
		f := shlink.File{ContentType: e.ContentType, LastUpdated: r.CreatedAt.Format(time.RFC3339), Status: shlink.StatusFinal}
		if e.ContentType == shlink.FHIR {
			f.FHIRVersion = fhirVersion
		}
		if e.Length > limit {
			f.Location = s.url(id) + FilesPath + s.ticket(handle, n)
		} else {
			var err error
			if f.Embedded, err = s.ciphertext(ctx, handle, n); err != nil {
				return shlink.Manifest{}, err
			}
		}
		m.Files[n] = f
	}
	return m, nil
}

// File gives the JWE that a manifest's location leads to, until ticketTime after it.
// Errors: NotFound, Unavailable.
func (s *Service) File(ctx context.Context, id, ticket string) (string, error) {
	handle, ok := s.handle(id)
	if !ok {
		return "", errLink
	}
	n, ok := s.redeem(handle, ticket)
	if !ok {
		return "", errLink
	}
	_, r, err := s.find(ctx, id)
	if err != nil {
		return "", err
	}
	if n >= len(r.Files) {
		return "", errLink
	}
	return s.ciphertext(ctx, handle, n)
}

// Direct gives the JWE of a direct link. Errors: Malformed; NotFound, also for links with
// a manifest; Unavailable.
func (s *Service) Direct(ctx context.Context, id, recipient string) (string, error) {
	if err := (Request{Recipient: recipient}).check(); err != nil {
		return "", err
	}
	handle, r, err := s.find(ctx, id)
	if err != nil {
		return "", err
	}
	if !r.Direct {
		return "", errLink
	}
	return s.ciphertext(ctx, handle, 0)
}

// check gives all findings about a request. They do not depend on the link.
func (q Request) check() error {
	var found []fault.Issue
	if n := utf8.RuneCountInString(q.Recipient); strings.TrimSpace(q.Recipient) == "" || n > maxRecipient {
		found = append(found, issue("/recipient", "health-link-recipient", "The recipient is missing or longer than 256 characters.", "Name the person or organisation that asks."))
	}
	if len(q.Passcode) > maxGuess {
		found = append(found, issue("/passcode", "health-link-passcode", "The passcode is longer than 256 bytes.", "Send the passcode as the sharer told it."))
	}
	if q.EmbeddedLengthMax != nil && *q.EmbeddedLengthMax < 0 {
		found = append(found, issue("/embeddedLengthMax", "health-link-embedded", "The length is negative.", "Send 0 to have no file embedded, or leave it out."))
	}
	if len(found) == 0 {
		return nil
	}
	return errRequest.With(found...)
}
