package shlink

import (
	"encoding/base64"
	"math"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// MaxText bounds the text of a link that is read, in bytes; one of version 1 has about 700.
const MaxText = 8 << 10

// maxViewer bounds the viewer URL in front of a link, in bytes.
const maxViewer = 1 << 10

// payload is the JSON of a link as it is written, its members in this order.
type payload struct {
	URL     string `json:"url"`
	Key     string `json:"key"`
	Expires int64  `json:"exp,omitzero"`
	Flags   string `json:"flag,omitzero"`
	Label   string `json:"label,omitzero"`
	Version int    `json:"v"`
}

// Text gives "shlink:/" and the base64url of the minified JSON. It is deterministic.
// Errors: *Error, also for a Verifiable Health Link, which is never written.
func (l Link) Text() (string, error) {
	if l.Scheme != "" && l.Scheme != SMART {
		return "", &Error{"scheme", "only SMART Health Links are written; use shlink"}
	}
	if l.Version != 0 && l.Version != Version {
		return "", &Error{"v", "only version 1 is written; leave it out"}
	}
	if l.Flags>>len(letters) != 0 {
		return "", &Error{"flag", "must be made of L, P and U; leave others out"}
	}
	if l.Key == [KeySize]byte{} {
		return "", &Error{"key", "must be random; make a new one for each link"}
	}
	if err := l.check(MaxURL); err != nil {
		return "", err
	}
	p := payload{URL: l.URL, Key: base64.RawURLEncoding.EncodeToString(l.Key[:]), Flags: l.Flags.String(), Label: l.Label, Version: Version}
	if !l.Expires.IsZero() {
		p.Expires = l.Expires.Unix()
		if p.Expires <= 0 || p.Expires > maxExpires {
			return "", &Error{"exp", "must be between 1970 and 9999; correct the date"}
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	return string(SMART) + ":/" + base64.RawURLEncoding.EncodeToString(body), nil
}

// Parse reads the text of a SMART Health Link or a Verifiable Health Link, with or without
// the URL of a viewer in front ("https://viewer.example/#shlink:/…"). Members and flags it
// does not know are ignored. Errors: *Error; ErrVersion together with the link, when that
// is of a later version.
func Parse(text string) (Link, error) {
	scheme, body, err := split(text)
	if err != nil {
		return Link{}, err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil || strings.ContainsAny(body, "\r\n") {
		return Link{}, &Error{"text", "must be base64url without padding behind the scheme; scan it again"}
	}
	var p struct {
		URL     string   `json:"url"`
		Key     string   `json:"key"`
		Expires *float64 `json:"exp"`
		Flags   string   `json:"flag"`
		Label   string   `json:"label"`
		Version *float64 `json:"v"`
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return Link{}, &Error{"text", "must hold a JSON object with the members of version 1; ask for a new link"}
	}
	l := Link{Scheme: scheme, URL: p.URL, Flags: parseFlags(p.Flags), Label: p.Label}
	if l.Version, err = version(p.Version); err != nil {
		return Link{}, err
	}
	if l.Key, err = parseKey(p.Key); err != nil {
		return Link{}, err
	}
	if l.Expires, err = expires(p.Expires); err != nil {
		return Link{}, err
	}
	limit := MaxURL
	if scheme == Verifiable {
		limit = maxForeignURL
	}
	if err := l.check(limit); err != nil {
		return Link{}, err
	}
	if l.Version > Version {
		return l, ErrVersion
	}
	return l, nil
}

// split takes off the viewer and the scheme.
func split(text string) (Scheme, string, error) {
	if len(text) > MaxText {
		return "", "", &Error{"text", "must not be longer than 8 KiB; ask for a new link"}
	}
	if viewer, link, ok := strings.Cut(text, "#"); ok {
		if err := checkURL(viewer, maxViewer); err != nil {
			return "", "", under("viewer", err)
		}
		text = link
	}
	for _, scheme := range []Scheme{SMART, Verifiable} {
		if body, ok := strings.CutPrefix(text, string(scheme)+":/"); ok {
			return scheme, body, nil
		}
	}
	return "", "", &Error{"text", "must begin with shlink:/ or vhlink:/; scan it again"}
}

func version(v *float64) (int, error) {
	switch {
	case v == nil:
		return Version, nil
	case *v < 1 || *v > math.MaxInt32 || *v != math.Trunc(*v):
		return 0, &Error{"v", "must be a whole number from 1; ask for a new link"}
	}
	return int(*v), nil
}

func parseKey(s string) ([KeySize]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(s) != keyLength || len(raw) != KeySize {
		return [KeySize]byte{}, &Error{"key", "must be 32 bytes in 43 characters of base64url; ask for a new link"}
	}
	return [KeySize]byte(raw), nil
}

// expires cuts fractions of a second off.
func expires(seconds *float64) (time.Time, error) {
	switch {
	case seconds == nil:
		return time.Time{}, nil
	case *seconds < 1 || *seconds > maxExpires:
		return time.Time{}, &Error{"exp", "must be seconds since 1970, not milliseconds; ask for a new link"}
	}
	return time.Unix(int64(*seconds), 0).UTC(), nil
}
