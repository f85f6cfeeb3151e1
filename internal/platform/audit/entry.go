package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"
)

// The limits of an entry.
const (
	maxField      = 1024 // bytes of a field, an attribute name or an attribute value
	maxAttributes = 32
	maxLine       = 256 << 10 // bytes of a line; escapes make a byte up to six
)

// Entry is one thing that happened or is about to.
type Entry struct {
	Time       time.Time         // UTC, whole seconds; zero means now
	Action     string            // what, e.g. "certificate.sign"; required
	Actor      string            // who, the name of a service or operator
	Subject    string            // an id, never personal data
	Outcome    string            // e.g. "intended", "done", "refused"
	Reason     string            // a code, not a sentence about a person
	Digest     string            // of the content, when there is one
	Attributes map[string]string // further facts from closed sets
}

// Receipt says where an entry stands.
type Receipt struct {
	Seq  uint64 // from 1
	Hash []byte // SHA-256 of its line
}

// EntryError says which field of an entry breaks which rule. Nothing was written.
type EntryError struct {
	Field string
	Rule  string
}

// Error names the field and the rule, never the value.
func (e *EntryError) Error() string { return "audit: entry " + e.Field + " " + e.Rule }

// line is an entry as it is written. The order of the fields is the format.
type line struct {
	Seq        uint64            `json:"seq"`
	Prev       string            `json:"prev"`
	Time       time.Time         `json:"time"`
	Action     string            `json:"action"`
	Actor      string            `json:"actor,omitempty"`
	Subject    string            `json:"subject,omitempty"`
	Outcome    string            `json:"outcome,omitempty"`
	Reason     string            `json:"reason,omitempty"`
	Digest     string            `json:"digest,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

type digest [sha256.Size]byte

func (d digest) String() string { return hex.EncodeToString(d[:]) }

// check returns the line of e but for seq and prev.
func check(e Entry, now time.Time) (line, error) {
	if e.Action == "" {
		return line{}, &EntryError{"action", "must not be empty"}
	}
	for _, f := range []struct{ name, value string }{
		{"action", e.Action}, {"actor", e.Actor}, {"subject", e.Subject},
		{"outcome", e.Outcome}, {"reason", e.Reason}, {"digest", e.Digest},
	} {
		if err := checkText(f.name, f.value); err != nil {
			return line{}, err
		}
	}
	if len(e.Attributes) > maxAttributes {
		return line{}, &EntryError{"attributes", "are too many"}
	}
	attributes := make(map[string]string, len(e.Attributes)) // the caller may change his
	for k, v := range e.Attributes {
		if err := checkText("attributes", k); err != nil {
			return line{}, err
		}
		if err := checkText("attributes", v); err != nil {
			return line{}, err
		}
		attributes[k] = v
	}
	at := e.Time
	if at.IsZero() {
		at = now
	}
	at = at.UTC().Truncate(time.Second)
	if at.Year() < 1970 || at.Year() > 9999 {
		return line{}, &EntryError{"time", "must be between the years 1970 and 9999"}
	}
	return line{
		Time: at, Action: e.Action, Actor: e.Actor, Subject: e.Subject, Outcome: e.Outcome,
		Reason: e.Reason, Digest: e.Digest, Attributes: attributes,
	}, nil
}

func checkText(field, value string) error {
	switch {
	case len(value) > maxField:
		return &EntryError{field, "is too long"}
	case !utf8.ValidString(value):
		return &EntryError{field, "must be valid UTF-8"}
	}
	return nil
}

// encode gives the canonical bytes of a line, without the line feed. Marshal fails on
// years beyond four digits alone, and check has refused those.
func (l line) encode() []byte {
	b, _ := json.Marshal(l)
	return b
}

// decode reads a line and insists on its canonical form.
func decode(b []byte) (line, error) {
	var l line
	if err := canonical(b, &l); err != nil {
		return line{}, err
	}
	return l, nil
}

// canonical reads b into v and insists that writing v gives b again. That leaves no
// unknown or repeated field, no other order, no spaces.
func canonical(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("audit: not JSON of the expected form")
	}
	again, err := json.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		return fmt.Errorf("audit: not in canonical form")
	}
	return nil
}

// entry gives back what was appended.
func (l line) entry() Entry {
	return Entry{
		Time: l.Time, Action: l.Action, Actor: l.Actor, Subject: l.Subject, Outcome: l.Outcome,
		Reason: l.Reason, Digest: l.Digest, Attributes: l.Attributes,
	}
}
