package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"github.com/veraison/go-cose"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/dcc"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/icvp"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/shc"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/vdsnc"
	"github.com/trustedparty/ddcc-gateway/fhir/terminology"
	dccformat "github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	icvpformat "github.com/trustedparty/ddcc-gateway/formats/icvp"
	shcformat "github.com/trustedparty/ddcc-gateway/formats/shc"
	vdsncformat "github.com/trustedparty/ddcc-gateway/formats/vdsnc"
	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// envelopeOf builds what a key signs, and puts the signature to it, with the calls the
// signer makes.
type envelopeOf func() (input []byte, finish func(keystore.Signature) (string, error), err error)

// formatBench is what the rows of one format work on.
type formatBench struct {
	key       keystore.Key
	envelopes []envelopeOf
	texts     []string
	verifier  verification.Verifier
}

// benchFormat is a format beside the DDCC: which key signs it, what a list says of the key
// that its certificate does not, and how an event is said in the format.
type benchFormat struct {
	usage  keystore.Usage
	listed []trust.Usage
	say    func(key keystore.Key, core fhir.CoreDataSet, n int, now time.Time) (envelopeOf, []fault.Issue)
}

var benchFormats = map[string]benchFormat{
	formatDCC:   {keystore.UsageVaccination, nil, sayDCC},
	formatSHC:   {keystore.UsageSHC, []trust.Usage{trust.UsageSHC}, saySHC},
	formatVDSNC: {keystore.UsageVDSNC, nil, sayVDSNC},
	formatICVP:  {keystore.UsageVaccination, nil, sayICVP},
}

// format makes the specimens of a format and proves that each verifies.
func (b *bench) format(name string) (*formatBench, error) {
	if f, known := b.formats[name]; known {
		if f == nil {
			return nil, fmt.Errorf("%s could not be prepared", name)
		}
		return f, nil
	}
	if b.formats == nil {
		b.formats = map[string]*formatBench{}
	}
	b.formats[name] = nil
	install := devinstall.Installation(filepath.Join(b.dir, "format-"+name))
	if err := install.Create(b.began, benchFormats[name].usage); err != nil {
		return nil, err
	}
	key, err := install.Key(benchFormats[name].usage)
	if err != nil {
		return nil, err
	}
	list, refused := trust.NewList([]trust.Entry{{KID: key.KID, DSC: key.Certificate, CSCA: key.Issuer, Usages: benchFormats[name].listed}}, trust.Options{})
	if len(refused) > 0 {
		return nil, refused[0]
	}
	f := &formatBench{key: key, verifier: verification.Verifier{List: list}}
	for n := range codecSpecimens {
		if err := f.add(b, name, n); err != nil {
			return nil, fmt.Errorf("%s, event %d: %w", name, n, err)
		}
	}
	b.formats[name] = f
	return f, nil
}

func (f *formatBench) add(b *bench, name string, n int) error {
	now := b.began.UTC().Truncate(time.Second)
	response, _ := b.events.event(int64(n))
	core, _, err := mediator.Event(response, now, mediator.KindQuestionnaireResponse)
	if err != nil {
		return err
	}
	envelope, issues := benchFormats[name].say(f.key, core, n, now)
	if fault.HasErrors(issues) {
		return fault.New(fault.Rule, "bench-event", "The event cannot be said in the format.").With(issues...)
	}
	f.envelopes = append(f.envelopes, envelope)
	text, err := f.issue(b, n)
	if err != nil {
		return err
	}
	f.texts = append(f.texts, text)
	return f.verify(n)
}

// issue builds, signs and encodes the i-th certificate, in turn.
func (f *formatBench) issue(b *bench, i int) (string, error) {
	input, finish, err := f.envelopes[i%len(f.envelopes)]()
	if err != nil {
		return "", err
	}
	signature, err := f.key.Sign(b.ctx, sha256.Sum256(input))
	if err != nil {
		return "", err
	}
	return finish(signature)
}

func (f *formatBench) verify(i int) error {
	if result := f.verifier.VerifyText(f.texts[i%len(f.texts)]); !result.Valid {
		return fmt.Errorf("a certificate does not verify: %s", result.Reason)
	}
	return nil
}

func formatIssue(name string) func(*bench) (measurement, error) {
	return func(b *bench) (measurement, error) {
		f, err := b.format(name)
		if err != nil {
			return measurement{}, err
		}
		rates, err := b.oneCore(func(i int) error { _, err := f.issue(b, i); return err })
		if err != nil {
			return measurement{}, err
		}
		return measurement{value: rates[0].wall, note: fmt.Sprintf("%d characters; %s", len(f.texts[0]), rates[0].note())}, nil
	}
}

func formatVerify(name string) func(*bench) (measurement, error) {
	return func(b *bench) (measurement, error) {
		f, err := b.format(name)
		if err != nil {
			return measurement{}, err
		}
		rates, err := b.oneCore(f.verify)
		if err != nil {
			return measurement{}, err
		}
		return measurement{value: rates[0].wall, note: rates[0].note()}, nil
	}
}

// hcertOf is an HCERT with this content.
func hcertOf(key keystore.Key, now time.Time, subClaim int64, content any) envelopeOf {
	claims := hcert.Claims{Issuer: devinstall.Country, IssuedAt: now, ExpiresAt: now.AddDate(0, 6, 0), SubClaim: subClaim, Content: content}
	return func() ([]byte, func(keystore.Signature) (string, error), error) {
		payload, err := claims.Encode()
		if err != nil {
			return nil, nil, err
		}
		input, err := hcert.ToBeSigned(payload, key.KID, cose.AlgorithmES256)
		return input, func(signature keystore.Signature) (string, error) {
			message, err := hcert.Assemble(payload, key.KID, cose.AlgorithmES256, signature[:])
			if err != nil {
				return "", err
			}
			return hcert.Text(message)
		}, err
	}
}

func sayDCC(key keystore.Key, core fhir.CoreDataSet, n int, now time.Time) (envelopeOf, []fault.Issue) {
	content, issues := dcc.Vaccination(core, dcc.Context{UVCI: benchUVCI(n), Issuer: devinstall.Authority.Name})
	return hcertOf(key, now, dccformat.SubClaim, &content), issues
}

func benchUVCI(n int) string {
	sum := sha256.Sum256(fmt.Append(nil, n))
	id, err := dccformat.NewUVCI(devinstall.Country, [16]byte(sum[:16]))
	if err != nil {
		return "" // the map says that it is missing
	}
	return id
}

// sayICVP has another vaccine: an ICVP names a product of WHO's list.
func sayICVP(key keystore.Key, core fhir.CoreDataSet, _ int, now time.Time) (envelopeOf, []fault.Issue) {
	v := *core.Vaccination
	v.Vaccine = fhir.Coding{System: terminology.SystemICD11, Code: "XM0N24"}
	v.ValidFrom = "" // the tenth day
	v.Brand = fhir.Coding{System: terminology.SystemPrequalified, Code: "YellowFeverProductd2c75a15ed309658b3968519ddb31690"}
	core.Vaccination = &v
	card, issues := icvp.FromCore(core, icvp.Context{Issuer: devinstall.Authority.Name})
	return func() ([]byte, func(keystore.Signature) (string, error), error) {
		content, err := card.Content(icvpformat.Gen1)
		if err != nil {
			return nil, nil, err
		}
		return hcertOf(key, now, icvpformat.SubClaim, content)()
	}, issues
}

func saySHC(key keystore.Key, core fhir.CoreDataSet, n int, now time.Time) (envelopeOf, []fault.Issue) {
	if len(key.Certificate.URIs) == 0 {
		return nil, []fault.Issue{{Rule: "bench-issuer", Detail: "The certificate of the key names no issuer."}}
	}
	issuer := key.Certificate.URIs[0].String()
	card, issues := shc.FromCore(core, shc.Context{RevocationID: fmt.Sprintf("bench%06d", n), Performer: devinstall.Authority.Name})
	return func() ([]byte, func(keystore.Signature) (string, error), error) {
		payload, err := shcformat.Credential{Issuer: issuer, NotBefore: now, ExpiresAt: now.AddDate(0, 6, 0), Card: card}.Payload()
		if err != nil {
			return nil, nil, err
		}
		public, _ := key.Certificate.PublicKey.(*ecdsa.PublicKey)
		kid, err := shcformat.Thumbprint(public)
		if err != nil {
			return nil, nil, err
		}
		input, err := shcformat.SigningInput(payload, kid)
		return input, func(signature keystore.Signature) (string, error) {
			jws, err := shcformat.Assemble(input, signature[:])
			if err != nil {
				return "", err
			}
			return shcformat.Text(jws)
		}, err
	}, issues
}

func sayVDSNC(key keystore.Key, core fhir.CoreDataSet, n int, now time.Time) (envelopeOf, []fault.Issue) {
	message, issues := vdsnc.FromCore(core, vdsnc.Context{ID: benchUVCI(n), Provider: devinstall.Authority.Name, Reported: now})
	return func() ([]byte, func(keystore.Signature) (string, error), error) {
		canonical, err := vdsncformat.Data{
			Header:  vdsncformat.Header{Type: vdsncformat.TypeVaccination, Version: vdsncformat.Version, State: devinstall.ICAOState},
			Message: message,
		}.Canonical()
		return canonical, func(signature keystore.Signature) (string, error) {
			return vdsncformat.Assemble(canonical, key.Certificate.Raw, signature[:])
		}, err
	}, issues
}
