package issuance

import (
	"context"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/formats/qr"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// document builds the DDCC document around a certificate and has it signed.
func (s *Service) document(ctx context.Context, j job, cert signing.Certificate) (Issued, error) {
	image, err := QRImage(cert.Text)
	if err != nil {
		return Issued{}, err
	}
	authority := s.authorities[j.core.Certificate.Issuer.Value]
	built, err := maps.Document(maps.DocumentInput{
		Core:          j.core,
		Authority:     maps.Authority{Name: authority.Name, System: authority.System, Identifier: authority.ID},
		CertificateID: j.record.ID, PatientID: j.folder.PatientID, IssuedAt: cert.IssuedAt,
		QR: []maps.QRImage{{Type: "who", Text: cert.Text, PNG: image}},
	})
	if err != nil {
		return Issued{}, err
	}
	signature, err := s.signer.SignDocument(ctx, signing.DocumentIntent{ID: j.record.ID, Document: built.JSON})
	if err != nil {
		return Issued{}, fromSigner(err)
	}
	signed, err := fhir.AttachSignature(built.JSON, fhir.Signature{
		JWS: signature.JWS, When: signature.SignedAt, WhoReference: built.WhoReference,
	})
	if err != nil {
		return Issued{}, fault.From(err)
	}
	return Issued{
		ID: j.record.ID, Profile: j.record.Profile, FolderID: j.folder.ID, ReferenceID: built.IDs.QR[0],
		Text: cert.Text, KID: cert.KID, IssuedAt: cert.IssuedAt, ExpiresAt: cert.ExpiresAt, Document: signed,
	}, nil
}

// QRImage draws a certificate text: level Q, alphanumeric mode, as the HCERT
// specification recommends, as a PNG.
func QRImage(text string) ([]byte, error) {
	symbol, err := qr.Encode(text, qr.Q)
	if err != nil {
		return nil, fault.From(err)
	}
	return symbol.PNG(qr.DefaultScale, qr.DefaultQuiet)
}

// validUntil is the instant a stated end of validity means: the end of the day, month or
// year in UTC where no time is given (FHIR R4 Period.end). An end that has passed is the
// caller's error.
func validUntil(end string, now time.Time) (*time.Time, error) {
	if end == "" {
		return nil, nil //nolint:nilnil // no end was stated, which is not an error
	}
	until, err := lastInstant(end)
	if err != nil || !until.After(now) {
		return nil, errContent.With(fault.Issue{
			Path: "DDCCCoreDataSet.certificate.period.end", Rule: "period-not-passed",
			Detail: "The validity would have ended before the certificate is issued.", Fix: "Send a later end, or none.",
		})
	}
	return &until, nil
}

func lastInstant(s string) (time.Time, error) {
	for layout, step := range map[string]func(time.Time) time.Time{
		"2006-01-02": func(t time.Time) time.Time { return t.AddDate(0, 0, 1) },
		"2006-01":    func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		"2006":       func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return step(t).Add(-time.Second), nil
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC().Truncate(time.Second), err
}
