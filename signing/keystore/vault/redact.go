package vault

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// secret is a token or a secret id. It prints as redacted in every form; the text is behind
// a pointer, so that a print of a struct around it, which ignores methods of unexported
// fields, shows an address.
type secret struct{ text *string }

func newSecret(text string) secret { return secret{&text} }

// reveal gives the text, to be sent to Vault and nowhere else.
func (s secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Format implements fmt.Formatter: every verb writes the same.
func (secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON implements json.Marshaler.
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
