package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/divoc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	shc "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	vdsnc "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

type inspectCmd struct {
	Certificate string `arg:"" help:"A QR picture (PNG), a file with a QR text, a SMART Health Card file or a DDCC document, the text itself, or - for standard input." placeholder:"FILE|TEXT"`
}

// inspection is what a certificate says about itself. Nothing of it is verified.
type inspection struct {
	Verified   bool      `json:"verified"` // always false: that is another command's job
	Format     string    `json:"format"`
	Algorithm  any       `json:"algorithm"` // of an HCERT the number of COSE
	KID        string    `json:"kid"`
	Issuer     string    `json:"issuer,omitempty"`
	IssuedAt   time.Time `json:"issuedAt,omitzero"`
	ExpiresAt  time.Time `json:"expiresAt,omitzero"`
	Characters int       `json:"textCharacters"`

	// Of an HCERT.
	Tags      []uint64       `json:"tags,omitempty"`
	SubClaims map[int64]any  `json:"subClaims,omitempty"`
	Flat      map[string]any `json:"flat,omitempty"`
	Bytes     int            `json:"coseBytes,omitempty"`

	// Of the others.
	Types    []string       `json:"types,omitempty"`
	Chunks   int            `json:"chunks,omitempty"`
	RID      string         `json:"rid,omitempty"`
	Signer   *statedSigner  `json:"signer,omitempty"`
	Content  map[string]any `json:"content,omitempty"`
	Problems []string       `json:"problems,omitempty"` // rules that it breaks
}

// statedSigner is the certificate that a seal brings along.
type statedSigner struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
}

// Run prints every certificate it finds, decoded.
func (c *inspectCmd) Run(s streams) error {
	found, err := c.inspect(s)
	for _, one := range found {
		if err := printJSON(s, one); err != nil {
			return err
		}
	}
	if err != nil && !errors.Is(err, errUsage) {
		fmt.Fprintln(s.stderr, "ddcc:", err)
		return errNegative
	}
	return err
}

// inspect gives what it could read before the first certificate that it could not.
func (c *inspectCmd) inspect(s streams) ([]inspection, error) {
	input, err := readCertificate(s, c.Certificate)
	if err != nil {
		return nil, err
	}
	texts := append([]string{}, input.cards...)
	switch {
	case input.unreadable:
		return nil, usage("no QR code could be read from the picture")
	case len(input.chunks) > 0:
		message, err := shc.DecodeChunks(input.chunks)
		if err != nil {
			return nil, err
		}
		return []inspection{inspectCard(message)}, nil
	case input.document != nil:
		doc, err := readDocument(input.document)
		if err != nil {
			return nil, err
		}
		for _, r := range doc.References {
			texts = append(texts, r.Text)
		}
	case len(texts) == 0:
		texts = append(texts, input.text)
	}
	var found []inspection
	for _, text := range texts {
		one, err := inspectText(text)
		if err != nil {
			return found, err
		}
		one.Characters = len(text)
		found = append(found, one)
	}
	return found, nil
}

func inspectText(text string) (inspection, error) {
	switch verification.FormatOf(text) {
	case verification.FormatSHC:
		m, err := shc.Decode(text)
		if err != nil {
			return inspection{}, err
		}
		return inspectCard(m), nil
	case verification.FormatVDSNC:
		m, err := vdsnc.Decode(text)
		if err != nil {
			return inspection{}, err
		}
		return inspectSeal(m), nil
	case verification.FormatDIVOC:
		m, err := divoc.Decode([]byte(text))
		if err != nil {
			return inspection{}, err
		}
		return inspection{
			Format: verification.FormatDIVOC, Algorithm: m.ProofType, KID: m.VerificationMethod,
			Issuer: m.Issuer, IssuedAt: m.IssuedAt, Types: m.Types, Content: m.Content,
		}, nil
	}
	m, err := reader.Decode(text)
	if err != nil {
		return inspection{}, err
	}
	return inspectHCERT(m), nil
}

func inspectHCERT(m *reader.Message) inspection {
	return inspection{
		Format: verification.FormatHCERT, Algorithm: m.Algorithm, KID: base64.StdEncoding.EncodeToString(m.KID), Tags: m.Tags,
		Issuer: m.Claims.Issuer, IssuedAt: m.Claims.IssuedAt, ExpiresAt: m.Claims.ExpiresAt,
		SubClaims: m.Claims.SubClaims, Flat: m.Claims.Flat, Bytes: len(m.COSE),
	}
}

func inspectCard(m *shc.Message) inspection {
	one := inspection{
		Format: verification.FormatSHC, Algorithm: "ES256", KID: m.KID, Issuer: m.Issuer, IssuedAt: m.NotBefore, ExpiresAt: m.ExpiresAt,
		Types: m.Types, Chunks: m.Chunks, RID: m.RID, Content: m.Content,
	}
	for _, p := range append(m.Warnings, m.Check()...) {
		one.Problems = append(one.Problems, fmt.Sprintf("%s %s: %s (%s)", p.Severity, p.Path, p.Detail, p.Rule))
	}
	return one
}

func inspectSeal(m *vdsnc.Message) inspection {
	c := m.Certificate
	one := inspection{
		Format: verification.FormatVDSNC, Algorithm: m.Algorithm, KID: base64.StdEncoding.EncodeToString(trust.KID(c)),
		Issuer: m.State, Types: []string{m.Type}, Content: m.Data,
		Signer: &statedSigner{Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC()},
	}
	for _, p := range append(append(m.Warnings, m.CheckSigner()...), m.Check()...) {
		severity := "error"
		if p.Warning {
			severity = "warning"
		}
		one.Problems = append(one.Problems, fmt.Sprintf("%s %s: %s", severity, p.Path, p.Rule))
	}
	return one
}
