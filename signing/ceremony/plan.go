package ceremony

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing/governance"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Plan is a ceremony that was read, rehearsed and linted, and has not begun.
type Plan struct {
	source *Source
	out    folder
	now    time.Time
	issuer *x509.Certificate // nil where no CSCA is needed
	orders []order
	list   *x509.RevocationList // crl
	times  schedule             // certify, dsc
}

// schedule is when verifiers learn of the keys and when the keys begin to sign; zero
// leaves it to the register.
type schedule struct{ publishAt, activateAt time.Time }

// Prepare reads the files that the ceremony file names, builds every certificate with
// throwaway keys, lints it, and checks that no output exists. It touches no key and
// writes nothing. out is the directory for the outputs.
func Prepare(source *Source, out string, now time.Time) (*Plan, error) {
	p := &Plan{source: source, out: folder(out), now: now.UTC().Truncate(time.Second)}
	var c complaints
	p.readIssuer(&c)
	p.readOrders(&c)
	p.readList(&c)
	p.readSchedule(&c)
	if err := c.err(); err != nil {
		return nil, err
	}
	if err := p.dryRun(); err != nil {
		return nil, err
	}
	return p, p.out.free(p.outputs())
}

// Country is the country whose certificates the ceremony makes.
func (p *Plan) Country() string { return p.source.File.Country }

// Needs says what Perform has to be given: a store that holds or makes keys, the CSCA in
// a PKI engine, or both.
func (p *Plan) Needs() (keys, pki bool) {
	f := p.source.File
	pki = f.Issuer != nil && f.Issuer.Engine == EngineVaultPKI
	return !pki || f.Kind == KindDSC, pki
}

func (p *Plan) readIssuer(c *complaints) {
	named := p.source.File.Issuer
	if named == nil {
		return
	}
	raw, err := p.source.input(named.Certificate)
	if !c.unless(err == nil, "/issuer/certificate", "file", "The file cannot be read.", "Name an existing file, relative to the ceremony file.") {
		return
	}
	certificate, err := parseCertificatePEM(raw)
	if !c.unless(err == nil, "/issuer/certificate", "certificate", "The file is not one certificate in PEM.", "Give the CSCA certificate alone.") {
		return
	}
	c.unless(digest(certificate.Raw) == named.SHA256, "/issuer/sha256", "sha256", "The certificate has another digest.", "Find out which of the two is wrong: digest or certificate.")
	for _, f := range governance.Except(governance.LintCSCA(certificate), named.Ignore) {
		c.add("/issuer/certificate", f.Rule, f.Detail+".", "See "+f.Clause+".")
	}
	p.issuer = certificate
}

func (p *Plan) readOrders(c *complaints) {
	file := p.source.File
	begin := p.now
	if file.NotBefore != nil {
		begin = file.NotBefore.UTC()
		c.unless(begin.Equal(begin.Truncate(time.Second)), "/notBefore", "time", "Not whole seconds.", "Leave out the fraction.")
		c.unless(!begin.Before(p.now.Add(-backdating)), "/notBefore", "time", "The certificates would begin before the ceremony.", "Use a time to come, or leave it out.")
	}
	if file.CSCA != nil {
		p.orders = append(p.orders, cscaOrder(file, begin))
	}
	for i, k := range file.Keys {
		o := keyOrder(file, i, k, begin)
		if file.Kind == KindCertify {
			o.request = p.readRequest(c, o)
		}
		p.orders = append(p.orders, o)
	}
}

func cscaOrder(f File, begin time.Time) order {
	return order{
		path: "/csca", key: Key{Label: f.CSCA.Label, CommonName: f.CSCA.CommonName},
		wanted: governance.Request{
			Subject:   governance.Subject{Country: f.Country, Organization: f.Organization, CommonName: f.CSCA.CommonName},
			NotBefore: begin, Validity: days(f.CSCA.ValidityDays), PrivateUse: days(f.CSCA.PrivateUseDays),
		},
	}
}

func keyOrder(f File, i int, k Key, begin time.Time) order {
	return order{
		path: fmt.Sprintf("/keys/%d", i), key: k,
		wanted: governance.Request{
			Subject:   governance.Subject{Country: f.Country, Organization: f.Organization, CommonName: k.CommonName},
			NotBefore: begin, Validity: days(k.ValidityDays), PrivateUse: days(k.PrivateUseDays),
			CRL: k.CRL, IssuerURL: k.IssuerURL, DocumentTypes: k.DocumentTypes,
		},
	}
}

func (p *Plan) readRequest(c *complaints, o order) *requestFile {
	at := o.path + "/request"
	raw, err := p.source.input(o.key.Request)
	if !c.unless(err == nil, at, "file", "The file cannot be read.", "Name an existing file, relative to the ceremony file.") {
		return nil
	}
	c.unless(digest(raw) == o.key.RequestSHA256, o.path+"/requestSha256", "sha256", "The request file has another digest.", "Find out which of the two is wrong: digest or request.")
	r, err := parseRequestFile(raw)
	if !c.unless(err == nil, at, "request", "Not a request file, or its CSR does not prove possession of its key.", "Make it with a request ceremony.") {
		return nil
	}
	c.unless(r.Usage == o.key.Usage, at, "usage", "The request is for another usage.", "Name the request of this usage.")
	return r
}

// readSchedule takes the times of the file. One that is absent is left to the register,
// which publishes when two operators have agreed and lets a key sign after its lead time.
func (p *Plan) readSchedule(c *complaints) {
	f := p.source.File
	if f.PublishAt != nil {
		lead, _ := f.lead() // checked by Read
		p.times.publishAt = f.PublishAt.UTC().Truncate(time.Second)
		p.times.activateAt = p.times.publishAt.Add(lead)
		c.unless(!p.times.publishAt.Before(p.now.Add(-backdating)), "/publishAt", "time", "The time is past.", "Use a time to come, or leave it out.")
	}
	if f.ActivateAt != nil {
		earliest := p.times.activateAt
		p.times.activateAt = f.ActivateAt.UTC().Truncate(time.Second)
		c.unless(!p.times.activateAt.Before(earliest), "/activateAt", "lead", "The keys would sign before verifiers know them.", "Use publishAt plus lead, or later.")
	}
	if p.times.activateAt.IsZero() {
		return
	}
	for _, o := range p.orders {
		begin, end := o.wanted.NotBefore, o.usedUntil()
		c.unless(!p.times.activateAt.Before(begin) && p.times.activateAt.Before(end), o.path, "schedule", "The key would begin to sign outside its private key usage period.", "Bring activateAt, notBefore and privateUseDays together.")
	}
}

// usedUntil is when the private key stops signing.
func (o order) usedUntil() time.Time {
	profile := o.profile()
	for _, length := range []time.Duration{o.wanted.PrivateUse, profile.DefaultPrivateUse, o.wanted.Validity} {
		if length > 0 {
			return o.wanted.NotBefore.Add(length)
		}
	}
	return o.wanted.NotBefore.Add(profile.DefaultValidity)
}

// dryRun makes every certificate with throwaway keys; all findings come at once.
func (p *Plan) dryRun() error {
	issuer, err := p.rehearsalIssuer()
	if err != nil {
		return err
	}
	var issues []fault.Issue
	for _, o := range p.orders {
		under := issuer
		if o.selfSigned() {
			under = nil
		}
		err := o.dryRun(under, p.source.File.Ignore)
		if f := new(fault.Error); errors.As(err, &f) {
			issues = append(issues, f.Issues...)
		} else if err != nil {
			return fmt.Errorf("%s: %w", o.path, err)
		}
	}
	if len(issues) > 0 {
		return errLint.With(issues...)
	}
	return nil
}

// rehearsalIssuer is the CSCA, or for a request, whose CSCA is elsewhere, one made up.
func (p *Plan) rehearsalIssuer() (*x509.Certificate, error) {
	if p.source.File.Kind != KindRequest {
		return p.issuer, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	f := p.source.File
	f.CSCA = &CSCA{CommonName: "CSCA of the rehearsal"}
	template, err := cscaOrder(f, p.orders[0].wanted.NotBefore).template(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	made, _, err := rehearse(template, nil, &key.PublicKey, key)
	return made, err
}

// outputs lists the names of all files the ceremony will write.
func (p *Plan) outputs() []string {
	name := p.source.File.Name
	all := []string{p.transcriptName()}
	switch p.source.File.Kind {
	case KindCSCA:
		all = append(all, name+".pem")
	case KindRequest:
		for _, o := range p.orders {
			all = append(all, p.nameOf(o, ".csr.pem"), p.nameOf(o, ".request.json"))
		}
	case KindCertify, KindDSC:
		for _, o := range p.orders {
			all = append(all, p.nameOf(o, ".pem"))
		}
		all = append(all, name+".register.json")
	case KindCRL:
		all = append(all, name+".crl.pem", name+".crl.json")
	}
	return all
}

func (p *Plan) transcriptName() string { return p.source.File.Name + ".transcript.jsonl" }

func (p *Plan) nameOf(o order, ending string) string {
	return p.source.File.Name + "-" + o.what() + ending
}

// Describe says in lines for people what Perform will do.
func (p *Plan) Describe() []string {
	f := p.source.File
	lines := []string{
		fmt.Sprintf("Ceremony %q (%s) of %s, %s; file sha256 %s", f.Name, f.Kind, f.Organization, f.Country, p.source.SHA256),
	}
	if p.issuer != nil {
		lines = append(lines, fmt.Sprintf("CSCA %s, sha256 %s, key in %s", p.issuer.Subject, digest(p.issuer.Raw), f.Issuer.place()))
	}
	for _, o := range p.orders {
		lines = append(lines, p.describe(o))
	}
	if p.list != nil {
		lines = append(lines, fmt.Sprintf("Sign revocation list %d: %d entries, next update %s",
			p.list.Number, len(p.list.RevokedCertificateEntries), p.list.NextUpdate.Format(time.RFC3339)))
	}
	if f.Kind == KindCertify || f.Kind == KindDSC {
		lines = append(lines, fmt.Sprintf("Publish %s, sign %s", from(p.times.publishAt, "when registered"), from(p.times.activateAt, "when the lead time of the register allows")))
	}
	if f.Issuer != nil && len(f.Issuer.Ignore) > 0 {
		lines = append(lines, "EXCEPTION for the CSCA: "+strings.Join(f.Issuer.Ignore, ", "))
	}
	if len(f.Ignore) > 0 {
		lines = append(lines, "EXCEPTION: "+strings.Join(f.Ignore, ", "))
	}
	for _, name := range p.outputs() {
		lines = append(lines, "Write "+p.out.path(name))
	}
	return lines
}

func from(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return "from " + t.Format(time.RFC3339)
}

func (i *Issuer) place() string {
	if i.Engine == EngineVaultPKI {
		return "Vault PKI"
	}
	return "the key store, " + keystore.Ref{Label: i.Label, Version: i.Version}.String()
}

func (p *Plan) describe(o order) string {
	subject := fmt.Sprintf("C=%s, O=%s, CN=%s", o.wanted.Subject.Country, o.wanted.Subject.Organization, o.wanted.Subject.CommonName)
	period := fmt.Sprintf("from %s, key used until %s", o.wanted.NotBefore.Format(time.RFC3339), o.usedUntil().Format(time.RFC3339))
	switch {
	case o.isCSCA():
		return fmt.Sprintf("Make the next version of key %q and a self-signed CSCA certificate for %s, %s", o.key.Label, subject, period)
	case o.request != nil:
		return fmt.Sprintf("Certify %s for %s: %s, %s", o.request.ref(), o.key.Usage, subject, period)
	case p.source.File.Kind == KindRequest:
		return fmt.Sprintf("Make the next version of key %q for %s and a request: %s, %s", o.key.Label, o.key.Usage, subject, period)
	}
	return fmt.Sprintf("Make the next version of key %q for %s and certify it: %s, %s", o.key.Label, o.key.Usage, subject, period)
}
