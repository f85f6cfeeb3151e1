package healthlink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

const (
	minLifetime = time.Minute
	maxFiles    = 8
	// createTime bounds a creation; a stop outlives it by far.
	createTime = 30 * time.Second
	stopTime   = time.Hour
	minCode    = 6  // characters of a passcode
	maxCode    = 64 // and at most
)

// Options are what an issuer may choose.
type Options struct {
	Passcode string    // empty: none; told to the recipient by another way than the link
	Label    string    // shown to whoever scans the link; may be empty; not stored
	Expires  time.Time // zero: after Deps.Lifetime, or MaxLifetime for a long-term link
	LongTerm bool      // flag L
	Direct   bool      // flag U: the URL is that of the only file; excludes a passcode
}

// Created is a new link.
type Created struct {
	Text    string    // of the link, with its key: given once, stored nowhere
	ID      string    // for Withdraw; the URL does not follow from it
	Expires time.Time // UTC, whole seconds
}

// Format hides the text from whatever prints a Created.
func (c Created) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "new health link") }

// LogValue hides the same as Format.
func (c Created) LogValue() slog.Value { return slog.StringValue("new health link") }

// Create makes a link to the documents of a certificate of the issuer. Each call makes
// another link. Errors: Rule with all findings, Conflict for a revoked certificate,
// Unavailable, and those of the Source.
func (s *Service) Create(ctx context.Context, issuer issuance.Issuer, certificateID string, o Options) (Created, error) {
	ctx, cancel := context.WithTimeout(ctx, createTime)
	defer cancel()
	now := s.now()
	o.Expires = s.expires(o, now)
	if found := s.check(o, now); len(found) > 0 {
		return Created{}, errOptions.With(found...)
	}
	documents, err := s.source.Files(ctx, issuer, certificateID)
	if err != nil {
		return Created{}, err
	}
	if err := checkFiles(documents, o); err != nil {
		return Created{}, err
	}
	id, link, err := s.draw(o)
	if err != nil {
		return Created{}, err
	}
	text, err := link.Text()
	if err != nil {
		return Created{}, err
	}
	r := row{Issuer: issuer.ID, CreatedAt: now, Direct: o.Direct}
	if o.Passcode != "" {
		if r.Lock, err = s.newLock(ctx, o.Passcode); err != nil {
			return Created{}, err
		}
	}
	handle := s.digest("link", id)
	if err := s.save(ctx, handle, s.certificateKey(certificateID), r, documents, link); err != nil {
		return Created{}, err
	}
	return Created{Text: text, ID: handle, Expires: o.Expires}, nil
}

// expires fills in the end of a link that names none.
func (s *Service) expires(o Options, now time.Time) time.Time {
	switch {
	case !o.Expires.IsZero():
		return o.Expires.UTC().Truncate(time.Second)
	case o.LongTerm:
		return now.Add(s.maxLifetime)
	}
	return now.Add(s.lifetime)
}

// check gives all findings about the options.
func (s *Service) check(o Options, now time.Time) []fault.Issue {
	var out []fault.Issue
	if o.Expires.Before(now.Add(minLifetime)) || o.Expires.After(now.Add(s.maxLifetime)) {
		out = append(out, issue("expires", "health-link-lifetime", "The end of the link is too near or too far.",
			fmt.Sprintf("Choose an end from one minute to %d days ahead, or none.", int(s.maxLifetime.Hours()/24))))
	}
	if n := utf8.RuneCountInString(o.Passcode); o.Passcode != "" && (n < minCode || n > maxCode || !utf8.ValidString(o.Passcode)) {
		out = append(out, issue("passcode", "health-link-passcode", "The passcode is too short or too long.",
			fmt.Sprintf("Choose from %d to %d characters.", minCode, maxCode)))
	}
	if o.Passcode != "" && o.Direct {
		out = append(out, issue("direct", "health-link-direct", "A direct link cannot ask for a passcode.", "Leave out one of the two."))
	}
	if shlink.CheckLabel(o.Label) != nil {
		out = append(out, issue("label", "health-link-label", "The label is too long or holds control characters.",
			"Use at most 80 printable characters."))
	}
	return out
}

func checkFiles(documents []File, o Options) error {
	switch {
	case len(documents) == 0 || len(documents) > maxFiles:
		return errNoFiles
	case o.Direct && len(documents) != 1:
		return errOptions.With(issue("direct", "health-link-direct", "A direct link leads to one document, the certificate has several.", "Ask for a link with a manifest."))
	}
	for _, f := range documents {
		if len(f.Content) == 0 || len(f.Content) > shlink.MaxContent {
			return errNoFiles
		}
	}
	return nil
}

// draw makes a new id and key.
func (s *Service) draw(o Options) (id string, link shlink.Link, err error) {
	var secret [idBytes + shlink.KeySize]byte
	if _, err := io.ReadFull(s.random, secret[:]); err != nil {
		return "", shlink.Link{}, fault.From(err)
	}
	id = base64.RawURLEncoding.EncodeToString(secret[:idBytes])
	link = shlink.Link{
		URL: s.url(id), Key: [shlink.KeySize]byte(secret[idBytes:]), Expires: o.Expires, Flags: o.flags(), Label: o.Label,
		Version: shlink.Version,
	}
	return id, link, nil
}

func (o Options) flags() shlink.Flags {
	var f shlink.Flags
	if o.LongTerm {
		f |= shlink.LongTerm
	}
	if o.Passcode != "" {
		f |= shlink.Passcode
	}
	if o.Direct {
		f |= shlink.Direct
	}
	return f
}

// save writes the ciphertext, then the row, and takes the link back if its certificate
// was revoked in the meantime.
func (s *Service) save(ctx context.Context, handle, certificate string, r row, documents []File, link shlink.Link) error {
	for n, f := range documents {
		jwe, err := shlink.Encrypt(link.Key, f.ContentType, f.Content, true)
		if err != nil {
			return fault.From(err)
		}
		doc := docstore.Document{ID: fileID(handle, n), Body: []byte(jwe), Expires: link.Expires}
		if _, err := s.store.Insert(ctx, files, doc); err != nil {
			return errStore.Because(err)
		}
		r.Files = append(r.Files, entry{ContentType: f.ContentType, Length: len(jwe)})
	}
	body, err := json.Marshal(r)
	if err != nil {
		return fault.From(err)
	}
	doc := docstore.Document{ID: handle, Index: []string{certificate}, Body: body, Expires: link.Expires}
	if _, err := s.store.Insert(ctx, links, doc); err != nil {
		return errStore.Because(err)
	}
	// A revocation stops new links first and withdraws those it finds then. This row was
	// either there to be found, or the stop is there now.
	_, err = s.store.Get(ctx, stops, certificate)
	switch {
	case errors.Is(err, docstore.ErrNotFound):
		return nil
	case err != nil:
		return errStore.Because(err) // the text is never given out, so nobody can follow the link
	}
	if err := s.withdraw(ctx, handle, nil); err != nil {
		return err
	}
	return errRevoked
}
