// Package strictjson reads JSON the way signed documents need it: valid UTF-8, no
// duplicate member names, one value, bounded depth (RFC 7493 I-JSON), and writes the
// canonical form of RFC 8785.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrDepth reports nesting beyond the caller's limit.
var ErrDepth = errors.New("nested too deeply")

// SyntaxError says where a document stops being acceptable JSON. Its text holds no
// content of the document.
type SyntaxError struct {
	Offset int64  // in bytes from the start
	Reason string // for the caller
	cause  error
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
}

// Unwrap gives the cause, e.g. ErrDepth.
func (e *SyntaxError) Unwrap() error { return e.cause }

// Check reads data once and returns a *SyntaxError unless it is exactly one JSON value
// in valid UTF-8, without duplicate names, nested at most maxDepth deep.
func Check(data []byte, maxDepth int) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		_, err := dec.ReadToken()
		if err != nil {
			return classify(dec, err)
		}
		if dec.StackDepth() > maxDepth {
			return &SyntaxError{Offset: dec.InputOffset(), Reason: fmt.Sprintf("nested more than %d levels", maxDepth), cause: ErrDepth}
		}
		if dec.StackDepth() == 0 {
			break
		}
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return &SyntaxError{Offset: dec.InputOffset(), Reason: "more than one JSON value"}
	}
	return nil
}

func classify(dec *jsontext.Decoder, err error) error {
	reason := "not valid JSON"
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		reason = "the JSON ends too early"
	case errors.Is(err, jsontext.ErrDuplicateName):
		reason = "a member name occurs twice in one object"
	case errors.Is(err, jsontext.ErrNonStringName):
		reason = "a member name is not a string"
	}
	offset := dec.InputOffset()
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		offset = syn.ByteOffset
	}
	return &SyntaxError{Offset: offset, Reason: reason, cause: err}
}

// Canonical gives the canonical form of data (RFC 8785); data itself is unchanged.
func Canonical(data []byte) ([]byte, error) {
	v := jsontext.Value(bytes.Clone(data))
	if err := v.Canonicalize(); err != nil {
		return nil, &SyntaxError{Reason: "not valid JSON", cause: err}
	}
	return v, nil
}
