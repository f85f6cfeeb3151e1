package shlink

import "errors"

// Error says which part of a link, a claim or a manifest breaks which rule, and how to
// mend it. Neither field repeats a value.
type Error struct {
	Path string // member names and indexes, e.g. "url" or "claim[1].u"
	Rule string
}

func (e *Error) Error() string { return "shlink: " + e.Path + ": " + e.Rule }

// under puts the place of a part in front of the place inside it.
func under(path string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{path + "." + e.Path, e.Rule}
	}
	return err
}

// Errors that are not about one member.
var (
	// ErrVersion comes with the link: its label may be shown, its URL must not be used.
	ErrVersion = errors.New("shlink: the link is of a later version of SMART Health Links; a newer receiver is needed")
	// ErrDecrypt says no more than that: what is wrong with a ciphertext helps an attacker alone.
	ErrDecrypt = errors.New("shlink: the file does not open with the key of this link")
	// ErrForm is a file that is no compact JWE with alg dir and enc A256GCM.
	ErrForm = errors.New("shlink: the file must be a compact JWE with alg dir and enc A256GCM")
	// ErrTooLarge is a file beyond MaxContent.
	ErrTooLarge = errors.New("shlink: a file must have at most 4 MiB")
)
