package shlink

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The limits of version 1.
const (
	Version   = 1   // the one written
	MaxURL    = 128 // characters of the manifest URL
	MaxLabel  = 80  // characters of the label
	KeySize   = 32  // bytes
	keyLength = 43  // characters of the key in base64url
)

// maxForeignURL bounds the URL of a Verifiable Health Link, which carries a FHIR search.
const maxForeignURL = 1024

// maxExpires is the end of the year 9999 in epoch seconds.
const maxExpires = 253402300799

// Scheme says which kind of link a text is.
type Scheme string

// The schemes.
const (
	SMART      Scheme = "shlink" // SMART Health Link
	Verifiable Scheme = "vhlink" // Verifiable Health Link of IHE and WHO, read only
)

// Flags is a set of the flags that version 1 knows.
type Flags uint8

// The flags.
const (
	LongTerm Flags = 1 << iota // L: the link may be asked again for a long time
	Passcode                   // P: a passcode is asked for
	Direct                     // U: the URL is that of one encrypted file, without a manifest
)

// letters are the flags in alphabetical order, as a link must write them.
const letters = "LPU"

// Has reports whether all flags of g are in f.
func (f Flags) Has(g Flags) bool { return f&g == g }

// String gives the letters in alphabetical order.
func (f Flags) String() string {
	var b strings.Builder
	for i, letter := range letters {
		if f&(1<<i) != 0 {
			b.WriteRune(letter)
		}
	}
	return b.String()
}

// parseFlags leaves out what version 1 does not know, as the specification demands.
func parseFlags(s string) Flags {
	var f Flags
	for i, letter := range letters {
		if strings.ContainsRune(s, letter) {
			f |= 1 << i
		}
	}
	return f
}

// Link is the content of a link. It holds the key to a person's health data: printed or
// logged it shows its flags alone.
type Link struct {
	Scheme  Scheme // empty means SMART
	URL     string // of the manifest, or of the file when the flag Direct is set
	Key     [KeySize]byte
	Expires time.Time // UTC, whole seconds; zero: not said
	Flags   Flags
	Label   string // shown to whoever scans the link; may be empty
	Version int    // 0 means 1
}

// String hides everything but the kind of link.
func (l Link) String() string { return "health link, flags " + l.Flags.String() }

// Format hides the same as String, whatever the verb.
func (l Link) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, l.String()) }

// LogValue hides the same as String.
func (l Link) LogValue() slog.Value { return slog.StringValue(l.String()) }

// check holds a link against the rules that both directions share.
func (l Link) check(maxURL int) error {
	if err := checkURL(l.URL, maxURL); err != nil {
		return err
	}
	if l.Flags.Has(Passcode | Direct) {
		return &Error{"flag", "P and U exclude each other; leave one out"}
	}
	return CheckLabel(l.Label)
}

// CheckLabel tells whether a label may stand in a link. Errors: *Error.
func CheckLabel(label string) error {
	if !utf8.ValidString(label) || utf8.RuneCountInString(label) > MaxLabel {
		return &Error{"label", "must have at most 80 characters of valid UTF-8; shorten it"}
	}
	if strings.ContainsFunc(label, unicode.IsControl) {
		return &Error{"label", "must not hold control characters; leave them out"}
	}
	return nil
}

// checkURL wants an absolute https URL; http may be used on the machine itself.
func checkURL(s string, limit int) error {
	if s == "" || len(s) > limit {
		return &Error{"url", "must be there and not longer than the limit (128 characters in a SMART Health Link); shorten the base address"}
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || strings.ContainsFunc(s, unprintable):
		return &Error{"url", "must be an absolute URL of printable ASCII; send https://host/path"}
	case u.User != nil || u.Fragment != "":
		return &Error{"url", "must have neither credentials nor a fragment; leave them out"}
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return &Error{"url", "must be https; http is for the machine itself"}
}

func unprintable(r rune) bool { return r <= ' ' || r > '~' }

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
