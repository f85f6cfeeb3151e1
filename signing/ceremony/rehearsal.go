package ceremony

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
)

// signatureRule cannot hold for a rehearsed self-signed certificate of a real key.
const signatureRule = "signature"

// order is one certificate that a ceremony makes.
type order struct {
	path    string // JSON pointer of its part of the file
	key     Key    // Usage is empty for a CSCA
	wanted  governance.Request
	request *requestFile // certify
}

// what names the order in file names and messages.
func (o order) what() string {
	if o.isCSCA() {
		return string(KindCSCA)
	}
	return string(o.key.Usage)
}

func (o order) isCSCA() bool { return o.key.Usage == "" }

func (o order) selfSigned() bool { return o.isCSCA() || o.key.SelfSigned }

func (o order) profile() governance.Profile {
	if o.isCSCA() {
		return governance.CSCA()
	}
	profile, _ := governance.ProfileOf(o.key.Usage) // Read knows the usage
	return profile
}

func (o order) template(public *ecdsa.PublicKey) (*x509.Certificate, error) {
	wanted := o.wanted
	wanted.Public = public
	if o.isCSCA() {
		return governance.CSCATemplate(wanted)
	}
	return governance.Template(o.key.Usage, wanted)
}

func (o order) lint(certificate, issuer *x509.Certificate) []governance.Finding {
	if o.isCSCA() {
		return governance.LintCSCA(certificate)
	}
	return governance.Lint(o.key.Usage, certificate, issuer)
}

// dryRun makes the certificate with throwaway keys alone and lints it. issuer may be nil
// for what is self-signed.
func (o order) dryRun(issuer *x509.Certificate, ignored []string) error {
	subject, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template, err := o.template(&subject.PublicKey)
	if err != nil {
		return err
	}
	by := subject
	if !o.selfSigned() {
		if by, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return err
		}
	}
	made, standIn, err := rehearse(template, issuer, &subject.PublicKey, by)
	if err != nil {
		return err
	}
	return o.findings(o.lint(made, standIn), ignored)
}

// rehearsed signs the template for the real public key with a throwaway key and lints it.
func (o order) rehearsed(template, issuer *x509.Certificate, public *ecdsa.PublicKey, ignored []string) (*x509.Certificate, error) {
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	made, standIn, err := rehearse(template, issuer, public, by)
	if err != nil {
		return nil, err
	}
	if o.selfSigned() {
		ignored = append(slices.Clone(ignored), signatureRule)
	}
	return made, o.findings(o.lint(made, standIn), ignored)
}

// rehearse signs a template with a throwaway key in the place of its issuer, nil for
// self-signed, and gives the certificate and who stands in for its issuer. But for the
// signature the certificate is the one that the real key will make.
func rehearse(template, issuer *x509.Certificate, public crypto.PublicKey, by *ecdsa.PrivateKey) (made, standIn *x509.Certificate, err error) {
	parent := template
	if issuer != nil {
		parent = issuer
	}
	posing := *parent
	posing.PublicKey = &by.PublicKey
	made, err = createCertificate(template, &posing, public, by)
	if issuer == nil {
		return made, made, err
	}
	return made, &posing, err
}

func createCertificate(template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// findings turns what a lint found into an error, but for exceptions.
func (o order) findings(found []governance.Finding, ignored []string) error {
	var issues []fault.Issue
	for _, f := range governance.Except(found, ignored) {
		issues = append(issues, fault.Issue{Path: o.path, Rule: f.Rule, Detail: f.Detail + ".", Fix: "See " + f.Clause + "."})
	}
	if len(issues) == 0 {
		return nil
	}
	return errLint.With(issues...)
}

var errDiffers = errors.New("what was signed is not what was linted")

// sameButSignature compares a certificate with its rehearsal.
func sameButSignature(made, rehearsed *x509.Certificate) error {
	if !bytes.Equal(made.RawTBSCertificate, rehearsed.RawTBSCertificate) {
		return errDiffers
	}
	return nil
}

// engineSkew is how far the begin of validity that an engine chooses may be off.
const engineSkew = 15 * time.Minute

// sameButChosen compares a certificate of an engine with its rehearsal: serial number and
// begin of validity are the engine's, everything else must be as asked.
func sameButChosen(made, rehearsed *x509.Certificate) error {
	for _, part := range []struct {
		name string
		same bool
	}{
		{"the issuer", bytes.Equal(made.RawIssuer, rehearsed.RawIssuer)},
		{"the subject", bytes.Equal(made.RawSubject, rehearsed.RawSubject)},
		{"the key", bytes.Equal(made.RawSubjectPublicKeyInfo, rehearsed.RawSubjectPublicKeyInfo)},
		{"the end of validity", made.NotAfter.Equal(rehearsed.NotAfter)},
		{"the begin of validity", made.NotBefore.Sub(rehearsed.NotBefore).Abs() <= engineSkew},
		{"the extensions", sameExtensions(made, rehearsed)},
	} {
		if !part.same {
			return fmt.Errorf("%w: %s", errDiffers, part.name)
		}
	}
	return nil
}

// sameExtensions compares extensions by kind, but for basic constraints: an engine may
// write that a signer is no CA or leave it out, and the lint has looked at it.
func sameExtensions(made, rehearsed *x509.Certificate) bool {
	return within(made, rehearsed) && within(rehearsed, made)
}

func within(part, whole *x509.Certificate) bool {
	for _, e := range part.Extensions {
		if e.Id.Equal(oidBasicConstraints) {
			continue
		}
		i := slices.IndexFunc(whole.Extensions, func(w pkix.Extension) bool { return w.Id.Equal(e.Id) })
		if i < 0 || whole.Extensions[i].Critical != e.Critical || !bytes.Equal(whole.Extensions[i].Value, e.Value) {
			return false
		}
	}
	return true
}

// verifyChain verifies a certificate under its issuer as a relying party does, at the
// begin of its validity.
func verifyChain(certificate, issuer *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(issuer)
	_, err := certificate.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: certificate.NotBefore, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}
