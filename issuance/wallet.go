package issuance

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/formats/wallet"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Wallets are the accounts under which wallet files are made (docs/adr/0020); nil members
// are switched off.
type Wallets struct {
	Apple  *wallet.Apple
	Google *wallet.Google
}

// ApplePass puts a certificate into Apple's wallet, with the holder's birth date if asked.
// reference is the id of its QR DocumentReference.
func (s *Service) ApplePass(ctx context.Context, issuer Issuer, reference, language string, birthDate bool) ([]byte, error) {
	if s.wallets.Apple == nil {
		return nil, errNotFound
	}
	c, err := s.walletCard(ctx, issuer, reference, language, birthDate)
	if err != nil {
		return nil, err
	}
	return s.wallets.Apple.Pass(ctx, c, s.now())
}

// GoogleJWT puts a certificate into Google's wallet: whoever opens it hands name and
// certificate to Google.
func (s *Service) GoogleJWT(ctx context.Context, issuer Issuer, reference, language string) (string, error) {
	if s.wallets.Google == nil {
		return "", errNotFound
	}
	c, err := s.walletCard(ctx, issuer, reference, language, false)
	if err != nil {
		return "", err
	}
	return s.wallets.Google.JWT(ctx, c, s.now())
}

func (s *Service) walletCard(ctx context.Context, issuer Issuer, reference, language string, birthDate bool) (wallet.Card, error) {
	out, err := s.GetByReference(ctx, issuer, reference)
	if err != nil {
		return wallet.Card{}, err
	}
	one, ok := out.ByReference(reference)
	if !ok {
		return wallet.Card{}, errNotFound
	}
	core, issues := maps.CoreDataSetFromResources(out.Document)
	if fault.HasErrors(issues) {
		return wallet.Card{}, errUnreadable.Because(errContent.With(issues...))
	}
	c := wallet.Card{
		ID: one.ID, Format: string(one.Format), Text: one.Text, Name: core.Name, IssuedAt: one.IssuedAt, ExpiresAt: one.ExpiresAt,
		Issuer: s.authorities[core.Certificate.Issuer.Value].Name, Language: language,
	}
	switch {
	case core.Vaccination != nil:
		c.Title = words(core.Vaccination.Disease)
	case core.Test != nil:
		c.Title = words(core.Test.Pathogen)
	}
	if birthDate {
		c.BirthDate = core.BirthDate
	}
	return c, nil
}

// errUnreadable: a document of our own cannot be read back.
var errUnreadable = fault.New(fault.Internal, "document-unreadable", "")
