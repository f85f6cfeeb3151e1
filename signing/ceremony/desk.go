package ceremony

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// desk is where a ceremony happens: the keys, the CSCA, the exceptions and the record.
type desk struct {
	keys      keystore.Maker
	authority CertificateAuthority // nil where no CSCA is needed
	issuer    *x509.Certificate
	ignored   []string
	note      func(line) error
}

var errLie = errors.New("the key store answered with something else than was asked for")

// makeKey makes the next version of a label.
func (d *desk) makeKey(ctx context.Context, o order) (keystore.Ref, *ecdsa.PublicKey, error) {
	ref, public, err := d.keys.Create(ctx, o.key.Label)
	if err != nil {
		return ref, nil, fmt.Errorf("key %q: %w", o.key.Label, err)
	}
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ref, nil, err
	}
	if err := d.note(line{Event: "key-made", For: o.what(), Key: ref.String(), SHA256: digest(spki)}); err != nil {
		return ref, nil, err
	}
	if held, err := d.keys.Public(ctx, ref); err != nil {
		return ref, nil, fmt.Errorf("key %s: %w", ref, err)
	} else if ref.Label != o.key.Label || ref.Validate() != nil || !public.Equal(held) {
		return ref, nil, fmt.Errorf("%w: key %s", errLie, ref)
	}
	return ref, public, nil
}

// selfSign makes the certificate of a key with the key itself.
func (d *desk) selfSign(ctx context.Context, o order, ref keystore.Ref, public *ecdsa.PublicKey) (*x509.Certificate, error) {
	template, err := o.template(public)
	if err != nil {
		return nil, err
	}
	rehearsed, err := o.rehearsed(template, nil, public, d.ignored)
	if err != nil {
		return nil, err
	}
	made, err := createCertificate(template, template, public, keystore.NewSigner(ctx, d.keys, ref, public))
	if err != nil {
		return nil, err
	}
	return made, d.proved(o, made, rehearsed, made, sameButSignature)
}

// certify has the CSCA certify a key.
func (d *desk) certify(ctx context.Context, o order, template, rehearsed *x509.Certificate, request *x509.CertificateRequest) (*x509.Certificate, error) {
	made, err := d.authority.Certify(ctx, template, request)
	if err != nil {
		return nil, fmt.Errorf("the CSCA did not certify the key for %s: %w", o.what(), err)
	}
	compare := sameButSignature
	if !d.authority.Verbatim() {
		compare = sameButChosen
	}
	return made, d.proved(o, made, rehearsed, d.issuer, compare)
}

// proved lints a certificate, compares it with its rehearsal, verifies its chain and
// records it. The lint comes first: it says more about what an engine did not copy.
func (d *desk) proved(o order, made, rehearsed, issuer *x509.Certificate, compare func(made, rehearsed *x509.Certificate) error) error {
	if err := o.findings(o.lint(made, issuer), d.ignored); err != nil {
		return err
	}
	if err := compare(made, rehearsed); err != nil {
		return fmt.Errorf("the certificate for %s: %w", o.what(), err)
	}
	if err := verifyChain(made, issuer); err != nil {
		return fmt.Errorf("the certificate for %s does not verify: %w", o.what(), err)
	}
	return d.note(line{
		Event: "certified", For: o.what(), SHA256: digest(made.Raw), Serial: made.SerialNumber.Text(16), Fingerprint: digest(issuer.Raw),
	})
}

// request makes a certificate request for a key.
func (d *desk) request(ctx context.Context, o order, ref keystore.Ref, public *ecdsa.PublicKey, rehearsed *x509.Certificate) (*requestFile, error) {
	csr, err := newRequest(ctx, d.keys, ref, public, rehearsed)
	if err != nil {
		return nil, fmt.Errorf("request for %s: %w", ref, err)
	}
	r := &requestFile{
		Format: requestFormat, Usage: o.key.Usage, Label: ref.Label, Version: ref.Version, Request: csr.Raw, parsed: csr,
	}
	return r, d.note(line{Event: "request-signed", For: o.what(), Key: ref.String(), SHA256: digest(csr.Raw)})
}

// rehearse makes the template for a public key and the certificate it will become.
func (d *desk) rehearse(o order, issuer *x509.Certificate, public *ecdsa.PublicKey) (template, rehearsed *x509.Certificate, err error) {
	if template, err = o.template(public); err != nil {
		return nil, nil, err
	}
	rehearsed, err = o.rehearsed(template, issuer, public, d.ignored)
	return template, rehearsed, err
}

// signer makes or takes a key, certifies it and says how it is registered.
func (d *desk) signer(ctx context.Context, o order, times schedule) (signing.Registration, error) {
	if o.request != nil {
		return d.requested(ctx, o, times)
	}
	ref, public, err := d.makeKey(ctx, o)
	if err != nil {
		return signing.Registration{}, err
	}
	if o.selfSigned() {
		made, err := d.selfSign(ctx, o, ref, public)
		return registration(o, ref, made, made, times), err
	}
	template, rehearsed, err := d.rehearse(o, d.issuer, public)
	if err != nil {
		return signing.Registration{}, err
	}
	r, err := d.request(ctx, o, ref, public, rehearsed)
	if err != nil {
		return signing.Registration{}, err
	}
	made, err := d.certify(ctx, o, template, rehearsed, r.parsed)
	return registration(o, ref, made, d.issuer, times), err
}

// requested certifies the key of a request file.
func (d *desk) requested(ctx context.Context, o order, times schedule) (signing.Registration, error) {
	template, rehearsed, err := d.rehearse(o, d.issuer, o.request.public())
	if err != nil {
		return signing.Registration{}, err
	}
	made, err := d.certify(ctx, o, template, rehearsed, o.request.parsed)
	return registration(o, o.request.ref(), made, d.issuer, times), err
}

// registration puts a certified key on the register. Where the certificate does not say
// how long its key may sign, the registration does.
func registration(o order, ref keystore.Ref, made, issuer *x509.Certificate, times schedule) signing.Registration {
	if made == nil {
		return signing.Registration{}
	}
	r := signing.Registration{
		Usage: string(o.key.Usage), Label: ref.Label, Version: ref.Version, Certificate: made.Raw, Issuer: issuer.Raw,
		PublishAt: times.publishAt, ActivateAt: times.activateAt,
	}
	if profile := o.profile(); profile.UnstatedPrivateUse {
		retire := o.usedUntil().Truncate(time.Second)
		r.RetireAt = &retire
	}
	return r
}
