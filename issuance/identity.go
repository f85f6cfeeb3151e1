package issuance

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	shcreader "github.com/trustedparty/ddcc-gateway/formats/shc/reader"
	vdsncreader "github.com/trustedparty/ddcc-gateway/formats/vdsnc/reader"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// identity is what revokes one certificate, as a record keeps it: digests and ids alone.
type identity struct {
	Format     Format    `json:"format"`
	KID        []byte    `json:"kid"`
	Signature  []byte    `json:"signature,omitempty"`
	UCI        []byte    `json:"uci,omitempty"`
	CountryUCI []byte    `json:"countryUci,omitempty"`
	RID        string    `json:"rid,omitempty"`
	SHCKID     string    `json:"shcKid,omitempty"`
	ExpiresAt  time.Time `json:"expiresAt,omitzero"`
}

// revoked is the identity as it is published.
func (i identity) revoked(at time.Time) revocation.Entry {
	e := revocation.Entry{KID: i.KID, Format: string(i.Format), RID: i.RID, SHCKID: i.SHCKID, RevokedAt: at, ExpiresAt: i.ExpiresAt}
	copy(e.Signature[:], i.Signature)
	copy(e.UCI[:], i.UCI)
	copy(e.CountryUCI[:], i.CountryUCI)
	return e
}

// identify gives what a record keeps about the certificates of an event: where their QR
// codes are, and the digests that would revoke them. Both come from the signed texts.
func identify(out Issued) ([]reference, []identity, error) {
	var references []reference
	var identities []identity
	for _, c := range out.Certificates() {
		id, err := identityOf(c)
		if err != nil {
			return nil, nil, fault.From(fmt.Errorf("issuance: identity of a %s certificate: %w", c.Format, err))
		}
		identities = append(identities, id)
		if c.Format != FormatWHO {
			references = append(references, reference{c.Format, c.ReferenceID, c.KID})
		}
	}
	return references, identities, nil
}

func identityOf(c Certificate) (identity, error) {
	id := identity{Format: c.Format, KID: c.KID, ExpiresAt: c.ExpiresAt}
	read := id.hcert
	switch c.Format {
	case FormatSHC:
		read = id.card
	case FormatVDSNC:
		read = id.seal
	case FormatWHO, FormatDCC, FormatDCCRecovery, FormatICVP:
	}
	err := read(c.Text)
	return id, err
}

// sign sets the hash of the certificate's signature.
func (i *identity) sign(signature []byte) error {
	hash := revocation.SignatureHash("ES256", signature)
	if hash.IsZero() {
		return errors.New("the signature is not one of ES256")
	}
	i.Signature = hash[:]
	return nil
}

func (i *identity) hcert(text string) error {
	m, err := reader.Decode(text)
	if err != nil {
		return err
	}
	if err := i.sign(m.Signature); err != nil {
		return err
	}
	content, isDCC := m.Claims.SubClaims[dcc.SubClaim].(map[string]any)
	if !isDCC {
		return nil
	}
	uvci, err := uvciOf(content)
	if err != nil {
		return err
	}
	uci, country := revocation.UCIHash(uvci), revocation.CountryUCIHash(m.Claims.Issuer, uvci)
	i.UCI, i.CountryUCI = uci[:], country[:]
	return nil
}

// uvciOf finds the one ci of an EU DCC.
func uvciOf(content map[string]any) (string, error) {
	raw, err := json.Marshal(content)
	if err != nil {
		return "", err
	}
	var c dcc.Certificate
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", err
	}
	for _, v := range c.Vaccinations {
		return v.UVCI, nil
	}
	for _, t := range c.Tests {
		return t.UVCI, nil
	}
	for _, r := range c.Recoveries {
		return r.UVCI, nil
	}
	return "", errors.New("the payload has no event")
}

func (i *identity) card(text string) error {
	m, err := shcreader.Decode(text)
	if err != nil {
		return err
	}
	i.RID, i.SHCKID = m.RID, m.KID
	return i.sign(m.Signature)
}

func (i *identity) seal(text string) error {
	m, err := vdsncreader.Decode(text)
	if err != nil {
		return err
	}
	message, _ := m.Data["msg"].(map[string]any)
	for _, member := range []string{"uvci", "utci"} {
		if id, ok := message[member].(string); ok {
			uci := revocation.UCIHash(id)
			i.UCI = uci[:]
		}
	}
	return i.sign(m.Signature)
}
