package ceremony

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var (
	nameForm    = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$`)
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	digestForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Limits of a file.
const (
	maxName        = 64        // characters of O and CN (RFC 5280 appendix A, upper bounds)
	maxURL         = 512       // characters
	maxDays        = 3653      // of any length of time
	maxRevoked     = 1000      // entries that one file adds
	defaultLead    = "24h"     // verifiers refresh their trust lists within it
	defaultCRLDays = 90        // until the next list
	maxCRLDays     = 366       // a list that nobody renews for longer is forgotten
	maxRevocation  = 64 << 10  // bytes of a list that the register takes
	backdating     = time.Hour // how far before the ceremony a certificate may begin
)

// check finds every mistake that shows in the file alone.
func (f File) check() complaints {
	var c complaints
	c.unless(nameForm.MatchString(f.Name), "/name", "name", "Not a name for outputs.", "Use 1 to 64 of a-z, 0-9 and inner hyphens.")
	c.unless(countryForm.MatchString(f.Country), "/country", "country", "Not a country.", "Use two capital letters (ISO 3166-1 alpha-2).")
	checkText(&c, "/organization", f.Organization)
	checkRules(&c, "/ignore", f.Ignore)
	wants, known := parts[f.Kind]
	if !c.unless(known, "/kind", "kind", "There is no such kind.", "Use csca, request, certify, dsc or crl.") {
		return c
	}
	f.checkParts(&c, wants)
	if f.CSCA != nil {
		f.CSCA.check(&c)
	}
	if f.Issuer != nil {
		f.Issuer.check(&c)
	}
	f.checkKeys(&c)
	if f.CRL != nil {
		f.CRL.check(&c)
	}
	return c
}

// parts says which members a kind needs; the others must be absent.
var parts = map[Kind]struct{ csca, issuer, keys, crl, schedule bool }{
	KindCSCA:    {csca: true},
	KindRequest: {keys: true},
	KindCertify: {issuer: true, keys: true, schedule: true},
	KindDSC:     {issuer: true, keys: true, schedule: true},
	KindCRL:     {issuer: true, crl: true},
}

func (f File) checkParts(c *complaints, want struct{ csca, issuer, keys, crl, schedule bool }) {
	present := func(path string, has, wanted bool) {
		c.unless(has || !wanted, path, "required", "This kind of ceremony needs it.", "Add it.")
		c.unless(!has || wanted, path, "not-for-this-kind", "This kind of ceremony has no use for it.", "Remove it.")
	}
	present("/csca", f.CSCA != nil, want.csca)
	present("/issuer", f.Issuer != nil, want.issuer && !f.allSelfSigned())
	present("/keys", len(f.Keys) > 0, want.keys)
	present("/crl", f.CRL != nil, want.crl)
	if !want.schedule {
		present("/publishAt", f.PublishAt != nil, false)
		present("/activateAt", f.ActivateAt != nil, false)
		present("/lead", f.Lead != "", false)
	}
	if f.Kind == KindCRL || f.Issuer != nil && f.Issuer.Engine == EngineVaultPKI {
		present("/notBefore", f.NotBefore != nil, false) // the engine dates what it signs
	}
	lead, err := f.lead()
	c.unless(f.Lead == "" || f.PublishAt != nil || !want.schedule, "/lead", "lead", "It counts from publishAt, which is absent.", "Give publishAt, or leave the lead time to the register.")
	c.unless(err == nil && lead >= 0, "/lead", "duration", "Not a length of time.", `Use for example "24h".`)
}

// allSelfSigned: a ceremony for a self-signed upload certificate alone needs no issuer.
func (f File) allSelfSigned() bool {
	return f.Kind == KindDSC && len(f.Keys) > 0 && !slices.ContainsFunc(f.Keys, func(k Key) bool { return !k.SelfSigned })
}

func (f File) lead() (time.Duration, error) {
	if f.Lead == "" {
		return time.ParseDuration(defaultLead)
	}
	return time.ParseDuration(f.Lead)
}

func (a CSCA) check(c *complaints) {
	checkLabel(c, "/csca/label", a.Label)
	checkText(c, "/csca/commonName", a.CommonName)
	checkDays(c, "/csca/validityDays", a.ValidityDays)
	checkDays(c, "/csca/privateUseDays", a.PrivateUseDays)
}

func (i Issuer) check(c *complaints) {
	switch i.Engine {
	case EngineKeyStore:
		checkLabel(c, "/issuer/label", i.Label)
		c.unless(i.Version >= 1, "/issuer/version", "version", "Not a version of a key.", "Use the version of the CSCA's key, from 1.")
	case EngineVaultPKI:
		c.unless(i.Label == "" && i.Version == 0, "/issuer/label", "not-for-this-kind", "Vault PKI names its issuer on the command line.", "Remove label and version.")
	default:
		c.add("/issuer/engine", "engine", "There is no such engine.", "Use keystore or vault-pki.")
	}
	c.unless(i.Certificate != "", "/issuer/certificate", "required", "The certificate of the CSCA is needed.", "Name its PEM file.")
	checkDigest(c, "/issuer/sha256", i.SHA256)
	checkRules(c, "/issuer/ignore", i.Ignore)
}

func (f File) checkKeys(c *complaints) {
	seen := map[keystore.Usage]bool{}
	for i, k := range f.Keys {
		at := fmt.Sprintf("/keys/%d", i)
		if !c.unless(k.Usage.Known(), at+"/usage", "usage", "There is no such usage.", fmt.Sprintf("Use one of %v.", keystore.Usages())) {
			continue
		}
		c.unless(!seen[k.Usage], at+"/usage", "duplicate-usage", "The usage is listed twice.", "One ceremony makes one key of a usage.")
		seen[k.Usage] = true
		k.check(c, at, f.Kind)
	}
}

func (k Key) check(c *complaints, at string, kind Kind) {
	if kind == KindCertify {
		c.unless(k.Label == "", at+"/label", "not-for-this-kind", "The request file names the key.", "Remove it.")
		c.unless(k.Request != "", at+"/request", "required", "There is no request to certify.", "Name the request file.")
		checkDigest(c, at+"/requestSha256", k.RequestSHA256)
	} else {
		checkLabel(c, at+"/label", k.Label)
		c.unless(k.Request == "" && k.RequestSHA256 == "", at+"/request", "not-for-this-kind", "This kind of ceremony makes its own requests.", "Remove it.")
	}
	checkText(c, at+"/commonName", k.CommonName)
	checkDays(c, at+"/validityDays", k.ValidityDays)
	checkDays(c, at+"/privateUseDays", k.PrivateUseDays)
	profile, _ := governance.ProfileOf(k.Usage)
	c.unless(profile.MaxPrivateUse > 0 || k.PrivateUseDays == 0, at+"/privateUseDays", "not-for-this-usage", "The key may be used as long as its certificate is valid.", "Remove it.")
	c.unless(days(k.PrivateUseDays) <= profile.MaxPrivateUse || profile.MaxPrivateUse == 0, at+"/privateUseDays", "private-use", "The private key would be used for too long.", fmt.Sprintf("At most %d days.", profile.MaxPrivateUse/governance.Day))
	c.unless(!k.SelfSigned || kind == KindDSC && profile.MaySignItself, at+"/selfSigned", "not-for-this-usage", "Only an upload certificate in a dsc ceremony may be self-signed.", "Remove it.")
	c.unless(k.CRL == "" || len(k.CRL) <= maxURL && governance.RevocationURL(k.CRL), at+"/crl", "url", "Not a URL of a revocation list.", "Use an absolute http or https URL.")
	k.checkSpecial(c, at, profile)
}

// checkSpecial looks at what only some usages have.
func (k Key) checkSpecial(c *complaints, at string, profile governance.Profile) {
	if profile.IssuerURL {
		c.unless(len(k.IssuerURL) <= maxURL && governance.IssuerURL(k.IssuerURL), at+"/issuerUrl", "url", "Not the URL of an issuer of SMART Health Cards.", "Use https, without query and without a slash at the end.")
	} else {
		c.unless(k.IssuerURL == "", at+"/issuerUrl", "not-for-this-usage", "Only SMART Health Cards have an issuer URL.", "Remove it.")
	}
	if profile.DocumentTypes {
		known := len(k.DocumentTypes) > 0 && !slices.ContainsFunc(k.DocumentTypes, func(t string) bool {
			return t != governance.DocumentVaccination && t != governance.DocumentTest
		})
		c.unless(known, at+"/documentTypes", "document-types", "Not the document types of a barcode signer.", "List NV (vaccination), NT (test) or both.")
	} else {
		c.unless(len(k.DocumentTypes) == 0, at+"/documentTypes", "not-for-this-usage", "Only barcode signers have document types.", "Remove it.")
	}
}

func (r Revocation) check(c *complaints) {
	c.unless(r.Number >= 1, "/crl/number", "crl-number", "Not the number of a list.", "Use 1 for the first list, then always a higher one.")
	c.unless(r.Number < 2 || r.Previous != "", "/crl/previous", "required", "Every list but the first follows another.", "Name the list before, so that nothing falls off.")
	c.unless(r.Number != 1 || r.Previous == "", "/crl/previous", "crl-number", "The first list follows none.", "Remove it, or use a higher number.")
	c.unless(r.NextUpdateDays >= 0 && r.NextUpdateDays <= maxCRLDays, "/crl/nextUpdateDays", "days", "Not a number of days.", fmt.Sprintf("Use 1 to %d.", maxCRLDays))
	c.unless(len(r.Revoked) <= maxRevoked, "/crl/revoked", "count", "Too many entries for one list.", fmt.Sprintf("Use at most %d.", maxRevoked))
	for i, entry := range r.Revoked {
		at := fmt.Sprintf("/crl/revoked/%d", i)
		c.unless((entry.Certificate == "") != (entry.Serial == ""), at, "required", "Neither or both of certificate and serial are given.", "Give one of them.")
		if entry.Serial != "" {
			_, err := parseSerial(entry.Serial)
			c.unless(err == nil, at+"/serial", "serial", "Not a serial number.", "Use hexadecimal digits, at most 40.")
		}
		c.unless(slices.Contains(signing.RevokeReasons(), entry.Reason), at+"/reason", "reason", "There is no such reason.", "Use one of "+strings.Join(signing.RevokeReasons(), ", ")+".")
	}
}

var errSerial = errors.New("not a serial number")

func parseSerial(text string) (*big.Int, error) {
	if len(text) > 40 {
		return nil, errSerial
	}
	if len(text)%2 == 1 {
		text = "0" + text
	}
	raw, err := hex.DecodeString(text)
	serial := new(big.Int).SetBytes(raw)
	if err != nil || serial.Sign() == 0 {
		return nil, errSerial
	}
	return serial, nil
}

func checkRules(c *complaints, path string, ids []string) {
	for i, id := range ids {
		c.unless(slices.Contains(governance.Rules(), id), fmt.Sprintf("%s/%d", path, i), "rule", "There is no such rule.", "Name one of "+strings.Join(governance.Rules(), ", ")+".")
	}
}

func checkLabel(c *complaints, path, label string) {
	c.unless(keystore.Ref{Label: label, Version: 1}.Validate() == nil, path, "label", "Not a label of a key.", "Use 1 to 64 of a-z, 0-9 and inner hyphens.")
}

func checkText(c *complaints, path, text string) {
	printable := !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd })
	ok := text != "" && text == strings.TrimSpace(text) && len([]rune(text)) <= maxName && printable
	c.unless(ok, path, "text", "Not a name for a certificate.", fmt.Sprintf("Use 1 to %d characters on one line.", maxName))
}

func checkDays(c *complaints, path string, n int) {
	c.unless(n >= 0 && n <= maxDays, path, "days", "Not a number of days.", fmt.Sprintf("Use 1 to %d, or leave it out.", maxDays))
}

func checkDigest(c *complaints, path, text string) {
	c.unless(digestForm.MatchString(text), path, "sha256", "Not a SHA-256 digest.", "Use 64 lower-case hexadecimal digits.")
}

func days(n int) time.Duration { return time.Duration(n) * governance.Day }
