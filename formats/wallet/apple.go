package wallet

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/cms"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// AppleMedia is the media type of a pass for Apple Wallet.
const AppleMedia = "application/vnd.apple.pkpass"

// MaxPass bounds a pass for Apple Wallet, in bytes. One needs about 20 KiB.
const MaxPass = 128 << 10

// Apple is an account with Apple for one type of pass.
type Apple struct {
	PassType     string            // identifier of the pass type, e.g. pass.org.example.health
	Team         string            // identifier of the team, 10 characters
	Organization string            // who publishes the pass, shown on it
	Certificate  *x509.Certificate // of the pass type
	Issuer       *x509.Certificate // Apple's intermediate CA that issued it (WWDR)
	Key          crypto.Signer     // of Certificate
}

// errUnavailable is for what the operator has to mend: the caller cannot.
var errUnavailable = fault.New(fault.Unavailable, "wallet-unavailable", "Wallet passes of this kind cannot be made at the moment.")

// Pass makes a pass for Apple Wallet: a generic pass as a ZIP file, with the labels in the
// languages of the United Nations. now becomes the signing time and that of the files.
// Errors: Rule (the card), Unavailable (keys, certificate), the error of ctx.
func (a Apple) Pass(ctx context.Context, c Card, now time.Time) ([]byte, error) {
	now = now.UTC().Truncate(time.Second)
	if err := c.check(now); err != nil {
		return nil, err
	}
	if err := a.Check(now); err != nil {
		return nil, errUnavailable.Because(err)
	}
	files, err := a.files(&c)
	if err != nil {
		return nil, err
	}
	manifest, err := manifestOf(files)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil { // nobody waits: the key stays out of it
		return nil, err
	}
	signature, err := cms.SignDetached(manifest, a.Certificate, a.Key, now, a.Issuer)
	if err != nil {
		return nil, errUnavailable.Because(err)
	}
	raw, err := archive(append(files, file{"manifest.json", manifest}, file{"signature", signature}), now)
	if err == nil && len(raw) > MaxPass {
		err = fmt.Errorf("wallet: a pass of %d bytes, at most %d", len(raw), MaxPass)
	}
	if err != nil {
		return nil, err
	}
	return raw, nil
}

// files are those the manifest lists.
func (a Apple) files(c *Card) ([]file, error) {
	pass, err := json.Marshal(a.content(c))
	if err != nil {
		return nil, fmt.Errorf("wallet: encode pass: %w", err)
	}
	labels, err := labelFiles()
	if err != nil {
		return nil, err
	}
	pictures, err := pictureFiles()
	if err != nil {
		return nil, err
	}
	all := append([]file{{"pass.json", pass}}, labels...)
	return append(all, pictures...), nil
}
