package wallet

import (
	"context"
	"crypto"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// GoogleMedia is the media type of the JWT for Google Wallet.
const GoogleMedia = "application/jwt"

// MaxLinkJWT is the longest JWT, in characters, that Google calls safe in a link: browsers
// may cut longer ones. Android's own call takes any length.
const MaxLinkJWT = 1800

// saveAddress takes a JWT after it and offers to save the pass.
const saveAddress = "https://pay.google.com/gp/v/save/"

// maxOrigins bounds the web sites of an account.
const maxOrigins = 5

// maxGoogleRSA is the largest key, in bits: the signature must stay short.
const maxGoogleRSA = 4096

// Google is an issuer account with Google Wallet. Google asks that passes with sensitive data,
// which health data are, be generic private passes, and approves issuers of these one by one.
type Google struct {
	IssuerID       string        // decimal digits
	ClassID        string        // empty for private passes; else of a class for generic passes, without the issuer id
	ServiceAccount string        // e-mail address of the service account
	Key            crypto.Signer // RSA key of the service account
	Origins        []string      // web sites that show the button, e.g. https://health.example
}

var (
	issuerForm  = regexp.MustCompile(`^[0-9]{1,24}$`)
	accountForm = regexp.MustCompile(`^[a-z0-9.-]{1,100}@[a-z0-9.-]{1,100}\.gserviceaccount\.com$`)
)

// Check says all that keeps the account from making passes, in words for the operator.
func (g Google) Check() error {
	var found []error
	must := func(ok bool, problem string) {
		if !ok {
			found = append(found, errors.New("wallet: Google "+problem))
		}
	}
	must(issuerForm.MatchString(g.IssuerID), "issuer: must be the decimal id of the issuer account")
	must(g.ClassID == "" || idForm.MatchString(g.ClassID), "class: must be empty, or the id of the class after the issuer id and its point")
	must(accountForm.MatchString(g.ServiceAccount), "service account: must be its address, which ends in gserviceaccount.com")
	must(len(g.Origins) <= maxOrigins, "origins: must be at most 5")
	for _, origin := range g.Origins {
		must(isOrigin(origin), "origins: must each be https:// and a host, with nothing after it")
	}
	var key *rsa.PublicKey
	if g.Key != nil {
		key, _ = g.Key.Public().(*rsa.PublicKey)
	}
	must(key != nil && key.N.BitLen() >= minRSA && key.N.BitLen() <= maxGoogleRSA, "key: must be RSA of 2048 to 4096 bits")
	return errors.Join(found...)
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && s == "https://"+u.Host && len(s) <= MaxLine
}

// JWT makes the signed JWT that saves a pass to Google Wallet. It hands the holder's
// name and code to Google: ask the holder first. Whoever has the JWT can save the pass.
// Errors: Rule (the card), Unavailable (the account), the error of ctx.
func (g Google) JWT(ctx context.Context, c Card, now time.Time) (string, error) {
	if err := c.check(now); err != nil {
		return "", err
	}
	if err := g.Check(); err != nil {
		return "", errUnavailable.Because(err)
	}
	payload, err := json.Marshal(g.claims(&c, now))
	if err != nil {
		return "", fmt.Errorf("wallet: encode claims: %w", err)
	}
	if err := ctx.Err(); err != nil { // nobody waits: the key stays out of it
		return "", err
	}
	token, err := g.sign(payload)
	if err != nil {
		return "", errUnavailable.Because(err)
	}
	return token, nil
}

// sign makes a JWS with RS256 and verifies it.
func (g Google) sign(payload []byte) (string, error) {
	key := jose.SigningKey{Algorithm: jose.RS256, Key: cryptosigner.Opaque(g.Key)}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("wallet: prepare JWT: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("wallet: sign JWT: %w", err)
	}
	if _, err := signed.Verify(g.Key.Public()); err != nil {
		return "", fmt.Errorf("wallet: the JWT made does not verify: %w", err)
	}
	return signed.CompactSerialize()
}

// Link is the address of the button "Add to Google Wallet" for a JWT. The failure is Rule:
// the JWT is longer than links may be. A JWT that only names a pass would be short, but the
// pass itself would have to be sent to Google beforehand, by us, for a holder who may never
// save it: that is not offered.
func Link(jwt string) (string, error) {
	if len(jwt) <= MaxLinkJWT {
		return saveAddress + jwt, nil
	}
	return "", fault.New(fault.Rule, "wallet-link", "The pass is too long for a link.").With(fault.Issue{
		Path: "text", Rule: "wallet-link-length",
		Detail: fmt.Sprintf("The JWT has %d characters, and links hold %d.", len(jwt), MaxLinkJWT),
		Fix:    "save the JWT from an Android app, or ask for a format with a shorter text",
	})
}
