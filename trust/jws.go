package trust

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// jwsType is the type in the header of a signed statement: no other kind of JWS can pass
// for one (RFC 8725 §3.11).
const jwsType = "trustlist+jws"

// Bounds of a signed statement.
const (
	maxJWSHeader = 16 << 10 // characters: two certificates
	maxClockSkew = 5 * time.Minute
)

// Errors of VerifyStatement, to be compared with errors.Is.
var (
	ErrStatementForm      = fault.New(fault.Malformed, "trust-statement-form", "The signed trust list is not a compact JWS in the documented form.")
	ErrStatementSignature = fault.New(fault.Rule, "trust-statement-signature", "The trust list is not signed by a key that may sign it.")
	ErrStatementAnchor    = fault.New(fault.Rule, "trust-statement-anchor", "The trust list rests on a country signing certificate that is not pinned.")
	ErrStatementExpired   = fault.New(fault.Rule, "trust-statement-expired", "The trust list is older than it says it may be used.")
	ErrStatementEarly     = fault.New(fault.Rule, "trust-statement-early", "The trust list comes from the future; compare the clocks.")
)

// jwsHeader is the whole header: nothing may be missing and nothing may be added.
type jwsHeader struct {
	Alg string   `json:"alg"`
	Typ string   `json:"typ"`
	KID string   `json:"kid"` // standard base64, as on the list
	X5C []string `json:"x5c"` // DSC of the key, its CSCA
}

// Statement is a trust list whose signature was checked.
type Statement struct {
	TrustList
	Signer  Entry  // the key that signed it
	Payload []byte // the signed bytes, which are trustlist.json
}

// SignStatement encodes the list and signs it as a JWS in compact form (RFC 7515 §7.1)
// with ES256. The list must come from NewStatement and name the signer's key.
func SignStatement(ctx context.Context, list TrustList, signer ListSigner) ([]byte, error) {
	entry, err := signerEntry(list, signer.Certificate(), signer.Issuer())
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	payload, err := list.Encode()
	if err != nil {
		return nil, err
	}
	header, err := json.Marshal(newJWSHeader(entry))
	if err != nil {
		return nil, fmt.Errorf("trust: encode JWS header: %w", err)
	}
	out := base64.RawURLEncoding.AppendEncode(nil, header)
	out = base64.RawURLEncoding.AppendEncode(append(out, '.'), payload)
	signature, err := signES256(ctx, out, signer)
	if err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.AppendEncode(append(out, '.'), signature), nil
}

func newJWSHeader(entry Entry) jwsHeader {
	return jwsHeader{
		Alg: "ES256", Typ: jwsType, KID: base64.StdEncoding.EncodeToString(entry.KID),
		X5C: []string{base64.StdEncoding.EncodeToString(entry.DSC.Raw), base64.StdEncoding.EncodeToString(entry.CSCA.Raw)},
	}
}

// VerifyStatement reads a signed trust list and believes nothing of it but what the pinned
// CSCAs vouch for: every CSCA on the list must be pinned, the key that signed must be on
// the list as an active key for trust lists, and now must lie between issuedAt (less five
// minutes) and nextUpdate. The error is one of the errors above or of ParseList.
func VerifyStatement(jws []byte, anchors []*x509.Certificate, now time.Time) (Statement, error) {
	s, err := parseStatement(jws, anchors)
	if err != nil {
		return Statement{}, err
	}
	if err := s.checkTime(now); err != nil {
		return Statement{}, err
	}
	return s, nil
}

// checkTime holds the statement against the clock.
func (s Statement) checkTime(now time.Time) error {
	switch {
	case now.Add(maxClockSkew).Before(s.IssuedAt):
		return ErrStatementEarly
	case !now.Before(s.NextUpdate):
		return ErrStatementExpired
	}
	return nil
}

// parseStatement is VerifyStatement without the clock.
func parseStatement(jws []byte, anchors []*x509.Certificate) (Statement, error) {
	header, payload, signature, err := splitJWS(jws)
	if err != nil {
		return Statement{}, err
	}
	dsc, csca, err := header.certificates()
	if err != nil {
		return Statement{}, ErrStatementForm.Because(err)
	}
	// The signature before the content: what strangers wrote is not parsed further.
	if !isPinned(csca, anchors) {
		return Statement{}, ErrStatementAnchor
	}
	if refusal := checkChain(dsc, csca); refusal != nil {
		return Statement{}, ErrStatementSignature.Because(refusal)
	}
	key, err := p256(dsc)
	if err != nil {
		return Statement{}, ErrStatementSignature.Because(err)
	}
	if input := jws[:bytes.LastIndexByte(jws, '.')]; !verifyES256(key, input, signature) {
		return Statement{}, ErrStatementSignature
	}
	return newStatement(payload, dsc, csca, anchors)
}

// newStatement reads the payload of a JWS whose signature is good.
func newStatement(payload []byte, dsc, csca *x509.Certificate, anchors []*x509.Certificate) (Statement, error) {
	list, err := ParseList(payload, Limits{})
	if err != nil {
		return Statement{}, err
	}
	if !list.isStatement() {
		return Statement{}, ErrStatementForm
	}
	for _, listed := range list.List.Anchors() {
		if !isPinned(listed, anchors) {
			return Statement{}, ErrStatementAnchor
		}
	}
	entry, err := signerEntry(list, dsc, csca)
	if err != nil {
		return Statement{}, ErrStatementSignature.Because(err)
	}
	if canonical, err := list.Encode(); err != nil || !bytes.Equal(canonical, payload) {
		return Statement{}, ErrStatementForm.Because(err)
	}
	return Statement{TrustList: list, Signer: entry, Payload: payload}, nil
}

func isPinned(csca *x509.Certificate, anchors []*x509.Certificate) bool {
	for _, anchor := range anchors {
		if anchor.Equal(csca) {
			return true
		}
	}
	return false
}

// splitJWS takes the compact form apart.
func splitJWS(jws []byte) (jwsHeader, []byte, []byte, error) {
	if len(jws) > base64.RawURLEncoding.EncodedLen(DefaultMaxBytes)+2*maxJWSHeader {
		return jwsHeader{}, nil, nil, errListTooLarge
	}
	parts := bytes.SplitN(jws, []byte("."), 4)
	if len(parts) != 3 || len(parts[0]) > maxJWSHeader {
		return jwsHeader{}, nil, nil, ErrStatementForm
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = decodeBase64URL(part); err != nil {
			return jwsHeader{}, nil, nil, ErrStatementForm.Because(err)
		}
	}
	var header jwsHeader
	if err := strictjson.Check(raw[0], 2); err != nil {
		return jwsHeader{}, nil, nil, ErrStatementForm.Because(err)
	}
	if err := json.Unmarshal(raw[0], &header, json.RejectUnknownMembers(true)); err != nil {
		return jwsHeader{}, nil, nil, ErrStatementForm.Because(err)
	}
	return header, raw[1], raw[2], nil
}

// decodeBase64URL reads the one form of some bytes in base64url without padding.
func decodeBase64URL(text []byte) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().AppendDecode(nil, text)
	if err == nil && len(text) != base64.RawURLEncoding.EncodedLen(len(raw)) {
		return nil, base64.CorruptInputError(0) // line feeds, which Go's decoder skips
	}
	return raw, err
}

// certificates checks the header and gives the certificates in it.
func (h jwsHeader) certificates() (dsc, csca *x509.Certificate, err error) {
	if h.Alg != "ES256" || h.Typ != jwsType || len(h.X5C) != 2 {
		return nil, nil, fmt.Errorf("alg, typ or x5c is not as documented")
	}
	var chain [2]*x509.Certificate
	for i, text := range h.X5C {
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, nil, err
		}
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, nil, err
		}
	}
	if h.KID != base64.StdEncoding.EncodeToString(KID(chain[0])) {
		return nil, nil, fmt.Errorf("kid is not the one of the certificate")
	}
	return chain[0], chain[1], nil
}
