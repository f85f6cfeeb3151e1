package service

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/shc"
	"github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/service/lint"
)

// envelope is one certificate in its format, complete but for the signature. Claims, times
// and key are inside and fixed; the signature is all that can still be put to them.
type envelope interface {
	// toBeSigned gives the bytes whose SHA-256 the key signs.
	toBeSigned() []byte
	// text puts a signature to them and gives the text of the QR code.
	text(signature keystore.Signature) (string, error)
	// read has the independent reader of the format decode a text.
	read(text string) (lint.Reading, error)
}

// digest is what the key signs.
func digest(e envelope) keystore.Digest { return sha256.Sum256(e.toBeSigned()) }

// corresponds reads the finished certificate as a verifier would and compares it with
// the linted one.
func (p prepared) corresponds(text string) error {
	got, err := p.envelope.read(text)
	if err != nil {
		return err
	}
	if signed := got.ToBeSigned(); !bytes.Equal(signed, p.linted.ToBeSigned()) || !bytes.Equal(signed, p.envelope.toBeSigned()) {
		return errors.New("the signed bytes are not the linted ones")
	}
	if !bytes.Equal(got.Embedded(), p.linted.Embedded()) {
		return errors.New("the certificate inside is not the linted one")
	}
	if len(text) > got.Longest() {
		return errors.New("the signed text outgrew the QR limit")
	}
	return got.Verify(p.key.Certificate.PublicKey)
}

// unbuildable says why claims cannot be put into their envelope: what a writer refuses of
// the content is the caller's, named by path and rule; of the rest it is ours.
func unbuildable(err error) error {
	var (
		claim *hcert.ClaimError
		card  *shc.Error
		seal  *vdsnc.Error
	)
	switch {
	case isTooLong(err):
		return errTooLong.Because(err)
	case errors.As(err, &claim) && strings.HasPrefix(claim.Path, "-260"): // only text that is not NFC or not UTF-8
		return errLints.Because(err).With(fault.Issue{
			Path: "claims", Rule: "text-nfc", Detail: "A text is not UTF-8 in Unicode normalisation form C.", Fix: "Normalise the texts to NFC.",
		})
	case errors.As(err, &card) && strings.HasPrefix(card.Path, "card"):
		return unwritable(err, "shc", strings.TrimPrefix(card.Path, "card"), card.Rule)
	case errors.As(err, &seal) && strings.HasPrefix(seal.Path, "data.msg"):
		return unwritable(err, "vdsnc", strings.TrimPrefix(seal.Path, "data.msg"), seal.Rule)
	}
	return refusedBy(fault.From(err))
}

func unwritable(err error, format, path, rule string) error {
	return errLints.Because(err).With(fault.Issue{
		Path: "claims." + format + path, Rule: format + "-rules", Detail: "The element " + rule + ".", Fix: "Correct the element.",
	})
}

// refusedBy keeps what the writer of an ICVP found, and what is nobody's content.
func refusedBy(f *fault.Error) error {
	if f.Kind != fault.Rule {
		return f
	}
	issues := slices.Clone(f.Issues)
	for i := range issues {
		issues[i].Path, issues[i].Rule = "claims.icvp."+issues[i].Path, "icvp-rules"
	}
	return errLints.Because(f).With(issues...)
}

func isTooLong(err error) bool {
	return errors.Is(err, hcert.ErrTooLong) || errors.Is(err, shc.ErrTooLong) || errors.Is(err, vdsnc.ErrTooLong)
}
