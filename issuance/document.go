package issuance

import (
	"context"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/formats/symbol"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// document builds the DDCC document around a certificate and has it signed.
func (s *Service) document(ctx context.Context, j job, cert signing.Certificate, others []Certificate) (Issued, error) {
	out := Issued{
		ID: j.record.ID, Profile: j.record.Profile, FolderID: j.folder.ID, Beside: others,
		Text: cert.Text, KID: cert.KID, IssuedAt: cert.IssuedAt, ExpiresAt: cert.ExpiresAt,
	}
	images, err := images(out.Certificates())
	if err != nil {
		return Issued{}, err
	}
	authority := s.authorities[j.core.Certificate.Issuer.Value]
	built, err := maps.Document(maps.DocumentInput{
		Core:          j.core,
		Authority:     maps.Authority{Name: authority.Name, System: authority.System, Identifier: authority.ID},
		CertificateID: j.record.ID, PatientID: j.folder.PatientID, IssuedAt: cert.IssuedAt,
		QR: images,
	})
	if err != nil {
		return Issued{}, err
	}
	signature, err := s.signer.SignDocument(ctx, signing.DocumentIntent{ID: j.record.ID, Document: built.JSON, Certificates: idsOf(others)})
	if err != nil {
		return Issued{}, fromSigner(err)
	}
	out.Document, err = fhir.AttachSignature(built.JSON, fhir.Signature{
		JWS: signature.JWS, When: signature.SignedAt, WhoReference: built.WhoReference,
	})
	if err != nil {
		return Issued{}, fault.From(err)
	}
	out.ReferenceID = built.IDs.QR[0]
	for i := range others {
		others[i].ReferenceID = built.IDs.QR[i+1]
	}
	return out, nil
}

// images draws the QR codes of a document.
func images(certificates []Certificate) ([]maps.QRImage, error) {
	out := make([]maps.QRImage, len(certificates))
	for i, c := range certificates {
		png, err := c.Image()
		if err != nil {
			return nil, err
		}
		out[i] = maps.QRImage{Type: c.Format.qrType(), Text: c.Text, PNG: png}
	}
	return out, nil
}

// Image is the QR code of the certificate as a PNG.
func (c Certificate) Image() ([]byte, error) {
	png, err := symbol.PNG(c.Text)
	if err != nil {
		return nil, fault.From(err)
	}
	return png, nil
}

func idsOf(certificates []Certificate) []string {
	var ids []string
	for _, c := range certificates {
		ids = append(ids, c.ID)
	}
	return ids
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
