package vdsnc

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

// Error says which member of the data may not be signed, and why. Path is made of member
// names and indexes ("data.msg.ve[0].vd[1].dvc"); neither field repeats a value.
type Error struct {
	Path string
	Rule string
}

func (e *Error) Error() string { return "vdsnc: " + e.Path + ": " + e.Rule }

// Canonical gives the bytes that the signature covers: the value of the member data in the
// canonical form of RFC 8785 (TR VDS-NC §3.4). It refuses, with an *Error, what a seal may
// not hold, and converts nothing.
func (d Data) Canonical() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("vdsnc: encode: %w", err)
	}
	canonical, err := strictjson.Canonical(plain)
	if err != nil {
		return nil, fmt.Errorf("vdsnc: canonicalise: %w", err)
	}
	return canonical, nil
}
