package main

import (
	"fmt"
	"os"
	"time"

	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// check gives one result: that of the first card that is not valid, or else of the first.
// The demo uses it.
func (c verifyCmd) check(s streams) (verification.Result, error) {
	results, err := c.checkAll(s)
	if err != nil {
		return verification.Result{}, err
	}
	for _, result := range results {
		if !result.Valid {
			return result, nil
		}
	}
	return results[0], nil
}

// checkAll does the work: one result for each certificate that the user named.
func (c verifyCmd) checkAll(s streams) ([]verification.Result, error) {
	v, err := c.verifier(s)
	if err != nil {
		return nil, err
	}
	if v.Revocations, err = c.revocations(s, v); err != nil {
		return nil, err
	}
	if !c.At.IsZero() {
		v.Clock = func() time.Time { return c.At }
	}
	if len(c.More) > 0 {
		return c.checkChunks(s, v)
	}
	input, err := readCertificate(s, c.Certificate)
	switch {
	case err != nil:
		return nil, err
	case input.unreadable:
		return unreadable(), nil
	case input.document != nil:
		return []verification.Result{v.VerifyDocument(input.document)}, nil
	case len(input.chunks) > 0:
		return []verification.Result{v.VerifyChunks(input.chunks)}, nil
	case len(input.cards) > 0:
		var results []verification.Result
		for _, card := range input.cards {
			results = append(results, v.VerifyText(card))
		}
		return results, nil
	default:
		return []verification.Result{v.VerifyText(input.text)}, nil
	}
}

// unreadable is the outcome for a picture without a QR code.
func unreadable() []verification.Result {
	return []verification.Result{{Reason: verification.ReasonQRUnreadable, Format: verification.FormatHCERT}}
}

// checkChunks reads every code of one card.
func (c verifyCmd) checkChunks(s streams, v *verification.Verifier) ([]verification.Result, error) {
	var texts []string
	for _, name := range append([]string{c.Certificate}, c.More...) {
		input, err := readCertificate(s, name)
		switch {
		case err != nil:
			return nil, err
		case input.unreadable:
			return unreadable(), nil
		case input.text == "":
			return nil, usage("several arguments have to be the QR codes of one SMART Health Card, and %q is none; check other certificates one by one", name)
		}
		texts = append(texts, input.text)
	}
	return []verification.Result{v.VerifyChunks(texts)}, nil
}

// revocations loads the lists of the own authority, whose key has to be on the own trust list.
func (c verifyCmd) revocations(s streams, v *verification.Verifier) (verification.Revocations, error) {
	if c.Revocations == "" {
		return nil, nil
	}
	if v.Own == nil {
		return nil, usage("--revocations needs --trust: the revocation lists are signed with a key of that list")
	}
	set, err := revocation.Load(os.DirFS(c.Revocations), v.Own.List, time.Now())
	if err != nil {
		return nil, usage("revocation lists in %s: %v", c.Revocations, err)
	}
	if !time.Now().Before(set.NextUpdate()) {
		fmt.Fprintf(s.stderr, "ddcc: the revocation lists should have been fetched again by %s\n", instant(set.NextUpdate()))
	}
	return set, nil
}
