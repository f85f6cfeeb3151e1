package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// codecSpecimens is how many certificates the codec rows go through in turn.
const codecSpecimens = 64

// codecBench is what the rows without processes work on: the claims the gateway would
// have signed for the same events, and a key of the development installation.
type codecBench struct {
	kid      []byte
	signer   cose.Signer
	claims   []hcert.Claims
	texts    []string // the same, issued
	verifier verification.Verifier
}

// codecs makes the specimens and proves that what is measured is right.
func (b *bench) codecs() (*codecBench, error) {
	if b.codec != nil {
		return b.codec, nil
	}
	install := devinstall.Installation(filepath.Join(b.dir, "codec"))
	if err := install.Create(b.began); err != nil {
		return nil, err
	}
	key, err := install.Key(keystore.UsageVaccination)
	if err != nil {
		return nil, err
	}
	c := &codecBench{kid: key.KID, signer: key.COSE(b.ctx)}
	list, refused := trust.NewList([]trust.Entry{{KID: key.KID, DSC: key.Certificate, CSCA: key.Issuer}}, trust.Options{})
	if len(refused) > 0 {
		return nil, refused[0]
	}
	c.verifier.List = list
	for n := range codecSpecimens {
		if err := c.add(b.events, int64(n), b.began.UTC().Truncate(time.Second)); err != nil {
			return nil, err
		}
	}
	b.codec = c
	return c, nil
}

func (c *codecBench) add(events benchEvents, n int64, now time.Time) error {
	response, hcid := events.event(n)
	core, _, err := mediator.Event(response, now, mediator.KindQuestionnaireResponse)
	if err != nil {
		return fmt.Errorf("event %d: %w", n, err)
	}
	_, content, err := maps.Claims(core)
	if err != nil {
		return fmt.Errorf("event %d: %w", n, err)
	}
	c.claims = append(c.claims, hcert.Claims{
		Issuer: devinstall.Country, IssuedAt: now, ExpiresAt: now.AddDate(0, 6, 0), SubClaim: hcert.SubClaimDDCCVS, Content: content,
	})
	text, err := c.issue(int(n))
	if err != nil {
		return err
	}
	c.texts = append(c.texts, text)
	return checkCertificate(c.verifier.VerifyText(text), hcid)
}

// checkCertificate makes sure that a verified certificate is the one asked for.
func checkCertificate(result verification.Result, hcid string) error {
	if !result.Valid {
		return fmt.Errorf("a certificate does not verify: %s", result.Reason)
	}
	certificate, _ := result.Content["certificate"].(map[string]any)
	if certificate["hcid"] != hcid {
		return errors.New("a certificate is not the one that was asked for")
	}
	return nil
}

// issue builds, signs and encodes the i-th certificate, in turn.
func (c *codecBench) issue(i int) (string, error) {
	payload, err := c.claims[i%len(c.claims)].Encode()
	if err != nil {
		return "", err
	}
	message, err := hcert.Sign1(payload, c.kid, c.signer)
	if err != nil {
		return "", err
	}
	return hcert.Text(message)
}

func (b *bench) hcertIssue() (measurement, error) {
	c, err := b.codecs()
	if err != nil {
		return measurement{}, err
	}
	rates, err := b.oneCore(func(i int) error { _, err := c.issue(i); return err })
	if err != nil {
		return measurement{}, err
	}
	note := fmt.Sprintf("ES256 with a software key, %d characters; %s", len(c.texts[0]), rates[0].note())
	return measurement{value: rates[0].wall, note: note}, nil
}

func (b *bench) certificateWithQR() (measurement, error) {
	c, err := b.codecs()
	if err != nil {
		return measurement{}, err
	}
	rates, err := b.oneCore(func(i int) error {
		text, err := c.issue(i)
		if err != nil {
			return err
		}
		_, err = qrImage(text)
		return err
	})
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: rates[0].wall, note: rates[0].note()}, nil
}

func (b *bench) hcertVerify() (measurement, error) {
	c, err := b.codecs()
	if err != nil {
		return measurement{}, err
	}
	rates, err := b.oneCore(func(i int) error {
		if result := c.verifier.VerifyText(c.texts[i%len(c.texts)]); !result.Valid {
			return fmt.Errorf("a certificate does not verify: %s", result.Reason)
		}
		return nil
	})
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: rates[0].wall, note: rates[0].note()}, nil
}

func qrImage(text string) ([]byte, error) {
	symbol, err := qr.Encode(text, qr.Q)
	if err != nil {
		return nil, err
	}
	return symbol.PNG(qr.DefaultScale, qr.DefaultQuiet)
}
