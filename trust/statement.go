package trust

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PublicKey is one key as its owner lists it. Planned and expired keys must not be given.
type PublicKey struct {
	KID         []byte
	Usage       Usage
	State       State
	ActiveFrom  time.Time // when it signs or signed first; zero: not known yet
	ListedFrom  time.Time // when it was listed first; zero: when its certificate begins
	Certificate []byte    // DER of the DSC
	Issuer      []byte    // DER of the CSCA
}

// Claims is what the owner of keys says about them at one time.
type Claims struct {
	Country    string    // ISO 3166-1 alpha-2
	IssuedAt   time.Time // cut to whole seconds
	NextUpdate time.Time // when the next statement is there at the latest; cut to whole seconds
	Keys       []PublicKey
	CSCAs      [][]byte // DER of CSCAs to list although no key needs them, e.g. a successor
	CRLs       [][]byte // DER, at most one of each CSCA that is listed
}

// maxCRL bounds one CRL, in bytes: some twenty thousand revoked certificates.
const maxCRL = 1 << 20

var (
	errNoKeys    = errors.New("there is no key, and none was revoked either")
	errCollision = errors.New("two certificates have the same key id")
	errPeriod    = errors.New("nextUpdate must be after issuedAt")
)

// NewStatement checks the claims and makes the list that SignStatement and SignDID sign.
// One bad key and there is no list: a statement that silently lacks a key would take the
// trust away from everything that key has signed. A key whose certificate, or whose CSCA,
// has ended is left out, though: nobody may trust it, and a state that changes late must
// not hold up what else there is to say.
func NewStatement(claims Claims) (TrustList, error) {
	if !isCountry(claims.Country) {
		return TrustList{}, errors.New("trust: the country of a statement must be two capital letters")
	}
	t := TrustList{Country: claims.Country, IssuedAt: seconds(claims.IssuedAt), NextUpdate: seconds(claims.NextUpdate)}
	var entries []Entry
	revoked := map[string]bool{} // by public key: a new certificate does not heal one
	for i, key := range claims.Keys {
		entry, err := key.entry()
		if err != nil {
			return TrustList{}, fmt.Errorf("trust: key %d: %w", i, err)
		}
		if key.State == StateRevoked {
			t.Revoked = append(t.Revoked, newRevokedKey(sha256.Sum256(entry.DSC.Raw), entry.Usages))
			revoked[string(entry.DSC.RawSubjectPublicKeyInfo)] = true
			continue
		}
		if !entry.expiredAt(t.IssuedAt) {
			entries = append(entries, entry)
		}
	}
	for _, entry := range entries {
		if revoked[string(entry.DSC.RawSubjectPublicKeyInfo)] {
			return TrustList{}, errors.New("trust: a key is listed as trusted and, with another certificate, as revoked")
		}
	}
	sortRevoked(t.Revoked)
	if err := t.list(entries, claims.CSCAs); err != nil {
		return TrustList{}, err
	}
	for i, der := range claims.CRLs {
		crl, err := parseCRL(der, t.List.Anchors())
		if err != nil {
			return TrustList{}, fmt.Errorf("trust: CRL %d: %w", i, err)
		}
		t.CRLs = append(t.CRLs, crl)
	}
	sortCRLs(t.CRLs)
	if err := checkStatement(t); err != nil {
		return TrustList{}, fmt.Errorf("trust: %w", err)
	}
	return t, nil
}

func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// entry parses a key and checks it on its own, revoked ones like the others: what is
// revoked must have been a key of this authority.
func (k PublicKey) entry() (Entry, error) {
	dsc, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return Entry{}, fmt.Errorf("document signer certificate: %w", err)
	}
	csca, err := x509.ParseCertificate(k.Issuer)
	if err != nil {
		return Entry{}, fmt.Errorf("issuer certificate: %w", err)
	}
	entry := Entry{
		KID: k.KID, Usages: []Usage{k.Usage}, DSC: dsc, CSCA: csca,
		State: k.State, ActiveFrom: seconds(k.ActiveFrom), ListedFrom: seconds(k.ListedFrom),
	}
	if entry.ListedFrom.IsZero() {
		entry.ListedFrom = seconds(dsc.NotBefore)
	}
	if k.State == StateRevoked {
		entry.State = ""
		checked, refusal := checkEntry(entry, false)
		if refusal != nil {
			return Entry{}, refusal
		}
		return checked, nil
	}
	if !k.State.isTrusted() {
		return Entry{}, errors.New("the state must be published, active, verify-only or revoked")
	}
	return entry, nil
}

// list sets the trusted keys and the CSCAs.
func (t *TrustList) list(entries []Entry, cscas [][]byte) error {
	var options Options
	for i, der := range cscas {
		csca, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("trust: CSCA %d: %w", i, err)
		}
		options.Anchors = append(options.Anchors, csca)
	}
	list, refusals := NewList(entries, options)
	t.List = list
	failures := make([]error, len(refusals))
	for i, refusal := range refusals {
		failures[i] = refusal
	}
	return errors.Join(failures...)
}

// checkStatement holds the parts of a statement against each other.
func checkStatement(t TrustList) error {
	if t.IssuedAt.IsZero() || !t.NextUpdate.After(t.IssuedAt) {
		return errPeriod
	}
	seen := map[string]bool{}
	for _, key := range t.Revoked {
		if seen[string(key.KID)] {
			return errCollision
		}
		seen[string(key.KID)] = true
	}
	others := len(t.Revoked) // keys that do more than to sign lists
	for _, entry := range t.List.Entries() {
		if seen[string(entry.KID)] {
			return errCollision
		}
		seen[string(entry.KID)] = true
		if !entry.Allows(UsageTrustList) {
			others++
		}
		if isOnCRL(entry, t.CRLs) {
			return errors.New("a key is listed as trusted and its certificate is on the CRL")
		}
	}
	if others == 0 {
		return errNoKeys
	}
	for i := 1; i < len(t.CRLs); i++ {
		if bytes.Equal(t.CRLs[i-1].AuthorityKeyId, t.CRLs[i].AuthorityKeyId) {
			return errors.New("there are two CRLs of one CSCA")
		}
	}
	return nil
}

func newRevokedKey(thumbprint [sha256.Size]byte, usages []Usage) RevokedKey {
	return RevokedKey{KID: slices.Clone(thumbprint[:kidLength]), Thumbprint: thumbprint, Usages: ordered(usages)}
}

func sortRevoked(keys []RevokedKey) {
	slices.SortFunc(keys, func(a, b RevokedKey) int { return bytes.Compare(a.Thumbprint[:], b.Thumbprint[:]) })
}

// parseCRL reads a CRL and checks that one of the CSCAs issued it (RFC 5280 §6.3.3 without
// dates: an old CRL still says what was revoked). Its errors are sentences for the caller.
func parseCRL(der []byte, cscas []*x509.Certificate) (*x509.RevocationList, error) {
	if len(der) > maxCRL {
		return nil, errors.New("it is larger than 1 MiB")
	}
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, errors.New("it is not a CRL that can be read")
	}
	for _, csca := range cscas {
		if bytes.Equal(crl.AuthorityKeyId, csca.SubjectKeyId) && crl.CheckSignatureFrom(csca) == nil {
			return crl, nil
		}
	}
	return nil, errors.New("no listed CSCA has issued it")
}

func sortCRLs(crls []*x509.RevocationList) {
	slices.SortFunc(crls, func(a, b *x509.RevocationList) int {
		return cmp.Or(cmp.Compare(hex.EncodeToString(a.AuthorityKeyId), hex.EncodeToString(b.AuthorityKeyId)), bytes.Compare(a.Raw, b.Raw))
	})
}

func isOnCRL(entry Entry, crls []*x509.RevocationList) bool {
	for _, crl := range crls {
		if entry.CSCA == nil || !bytes.Equal(crl.AuthorityKeyId, entry.CSCA.SubjectKeyId) {
			continue
		}
		for _, revoked := range crl.RevokedCertificateEntries {
			if revoked.SerialNumber.Cmp(entry.DSC.SerialNumber) == 0 {
				return true
			}
		}
	}
	return false
}
