package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
)

type inspectCmd struct {
	Certificate string `arg:"" help:"A QR picture (PNG), a file with an HC1 text or a DDCC document, the HC1 text itself, or - for standard input." placeholder:"FILE|TEXT"`
}

// inspection is what a certificate says about itself. Nothing of it is verified.
type inspection struct {
	Verified   bool           `json:"verified"` // always false: that is another command's job
	Algorithm  int64          `json:"algorithm"`
	KID        string         `json:"kid"`
	Tags       []uint64       `json:"tags"`
	Issuer     string         `json:"issuer,omitempty"`
	IssuedAt   time.Time      `json:"issuedAt,omitzero"`
	ExpiresAt  time.Time      `json:"expiresAt,omitzero"`
	SubClaims  map[int64]any  `json:"subClaims,omitempty"`
	Flat       map[string]any `json:"flat,omitempty"`
	Bytes      int            `json:"coseBytes"`
	Characters int            `json:"textCharacters"`
}

// Run prints every QR text it finds, decoded.
func (c *inspectCmd) Run(s streams) error {
	input, err := readCertificate(s, c.Certificate)
	if err != nil {
		return err
	}
	if input.unreadable {
		return usage("no QR code could be read from the picture")
	}
	texts := []string{input.text}
	if input.document != nil {
		doc, err := readDocument(input.document)
		if err != nil {
			return err
		}
		texts = texts[:0]
		for _, r := range doc.References {
			texts = append(texts, r.Text)
		}
	}
	encoder := json.NewEncoder(s.stdout)
	encoder.SetIndent("", "  ")
	for _, text := range texts {
		message, err := reader.Decode(text)
		if err != nil {
			fmt.Fprintln(s.stderr, "ddcc:", err)
			return errNegative
		}
		if err := encoder.Encode(newInspection(text, message)); err != nil {
			return err
		}
	}
	return nil
}

func newInspection(text string, m *reader.Message) inspection {
	return inspection{
		Algorithm: m.Algorithm, KID: base64.StdEncoding.EncodeToString(m.KID), Tags: m.Tags,
		Issuer: m.Claims.Issuer, IssuedAt: m.Claims.IssuedAt, ExpiresAt: m.Claims.ExpiresAt,
		SubClaims: m.Claims.SubClaims, Flat: m.Claims.Flat, Bytes: len(m.COSE), Characters: len(text),
	}
}
