package mediator

import (
	"context"
	"slices"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/maps"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Foreign is a certificate of anybody, in any format that can be read, as verification
// found it. Readings are there once a trusted signature was found.
type Foreign struct {
	Format   string // hcert, shc, vdsnc, divoc
	Profile  string // e.g. eu-dcc
	Valid    bool
	Reason   string // machine word
	Detail   string // one sentence, no personal data
	Signer   string // country or issuer that signed
	Warnings []string
	Firm     bool // the signature covers every value of the events where it stands
	Readings []maps.Reading
}

// Verifier reads a certificate and checks it against our own keys and the imported lists. It
// fails while it does not know our own keys, or what we revoked of what we signed: nobody
// else's word counts for those.
type Verifier interface {
	Verify(text string) (Foreign, error)
}

// Converted is a foreign certificate in terms of the core data set, and what was issued
// for it.
type Converted struct {
	Foreign
	Issued []Generated // one for each event that was to be issued anew
}

var (
	errConvert     = fault.New(fault.Forbidden, "convert-not-allowed", "This issuer may not have certificates of others converted.")
	errCertificate = fault.New(fault.Malformed, "convert-certificate", "The request has no certificate to convert.").With(fault.Issue{
		Path: "Parameters.parameter(certificate)", Rule: "operation-input", Detail: "The parameter is required.", Fix: "Send the text of the QR code as valueString.",
	})
	errComplement = fault.New(fault.Malformed, "convert-complement", "A certificate is issued anew only with a complement.").With(fault.Issue{
		Path: "Parameters.parameter(complement)", Rule: "operation-input", Detail: "The parameter is required with reissue.",
		Fix: "Send a QuestionnaireResponse with pha, hcid and what the certificate does not carry.",
	})
	errEventNumber = fault.New(fault.Rule, "convert-event", "The certificate does not hold exactly the event that is to be issued anew.").With(fault.Issue{
		Path: "Parameters.parameter(event)", Rule: "convert-event", Detail: "Several events, and none is named; or the named one is not there.", Fix: "Name the event by its number, from 0 on, as valueString.",
	})
)

var errNotFirm = fault.New(fault.Rule, "convert-not-firm", "Certificates of this kind are read, but not issued anew.").With(fault.Issue{
	Path: "Parameters.parameter(certificate)", Rule: "content_ambiguous",
	Detail: "The signature does not tell some values apart, such as vaccine and lot or the dates: a holder may have exchanged them.", Fix: "Ask the issuer of the certificate for the event itself.",
})

// unconvertible says why a certificate is not issued anew.
func unconvertible(f Foreign) error {
	return fault.New(fault.Rule, "convert-not-valid", "Only a certificate that verifies is issued anew.").With(fault.Issue{
		Path: "Parameters.parameter(certificate)", Rule: f.Reason, Detail: f.Detail, Fix: "Ask the holder for a valid certificate.",
	})
}

// Convert reads a certificate of anybody ($convert): it is verified, its events come back as
// core data sets, and with the parameter reissue one of them is issued as a DDCC, with what
// the certificate does not carry taken from the complement. Errors: Forbidden, Malformed,
// Rule, and those of Issue. A certificate that does not verify is no error without reissue.
func (m *Mediator) Convert(ctx context.Context, by IssuerPolicy, raw []byte, o Options) (Converted, error) {
	if !by.Convert {
		return Converted{}, errConvert
	}
	if err := m.admit(by, 1); err != nil {
		return Converted{}, err
	}
	p, err := fhir.ParseParameters(raw)
	if err != nil {
		return Converted{}, err
	}
	text, _ := p.Get("certificate")
	if text.Value == "" {
		return Converted{}, errCertificate
	}
	found, err := m.verifier.Verify(text.Value)
	if err != nil {
		return Converted{}, err
	}
	out := Converted{Foreign: found}
	if again, _ := p.Get("reissue"); !again.True {
		return out, nil
	}
	issued, err := m.reissue(ctx, by, out.Foreign, p, o)
	if err != nil {
		return Converted{}, err
	}
	out.Issued = []Generated{issued}
	return out, nil
}

// reissue issues one event of a verified certificate as our own.
func (m *Mediator) reissue(ctx context.Context, by IssuerPolicy, f Foreign, p fhir.Parameters, o Options) (Generated, error) {
	if !f.Valid {
		return Generated{}, unconvertible(f)
	}
	if !f.Firm {
		return Generated{}, errNotFirm
	}
	reading, err := chosen(f.Readings, p)
	if err != nil {
		return Generated{}, err
	}
	core, issues, err := completed(reading, p)
	if err != nil {
		return Generated{}, err
	}
	asked, err := askedOf(p)
	if err != nil {
		return Generated{}, err
	}
	out, err := m.issue(ctx, by, core, asked.within(o), o)
	return Generated{Issued: out, Warnings: append(issues, leftOut(out)...), Named: true}, err
}

// chosen gives the event to be issued: the only one, or the one that is named.
func chosen(readings []maps.Reading, p fhir.Parameters) (maps.Reading, error) {
	named, ok := p.Get("event")
	n, err := strconv.Atoi(named.Value)
	switch {
	case !ok && len(readings) == 1:
		return readings[0], nil
	case !ok || err != nil || n < 0 || n >= len(readings):
		return maps.Reading{}, errEventNumber
	}
	return readings[n], nil
}

// earlier gives the earlier of two ends of validity; an empty one is none. What we issue for
// a certificate is valid no longer than that.
func earlier(a, b string) string {
	first, okA := fhir.ParseDateTime(a)
	second, okB := fhir.ParseDateTime(b)
	if !okA || okB && second.Earliest.Before(first.Earliest) {
		return b
	}
	return a
}

// completed adds the complement to a reading. Codes that have no translation stay as they
// are; whether they will do is for the rules of the core data set. One that became narrower
// must not be certified: the certificate did not say so.
func completed(r maps.Reading, p fhir.Parameters) (fhir.CoreDataSet, []fault.Issue, error) {
	parameter, ok := p.Get("complement")
	if !ok || parameter.Resource == nil {
		return fhir.CoreDataSet{}, nil, errComplement
	}
	response, err := fhir.ParseQuestionnaireResponse(parameter.Resource)
	if err != nil {
		return fhir.CoreDataSet{}, nil, err
	}
	complement, issues := maps.ComplementFromResponse(response)
	core, contradictions := maps.Complement(r.Core, complement)
	core.Certificate.Period.End = earlier(core.Certificate.Period.End, r.Core.Certificate.Period.End)
	issues = slices.Concat(issues, contradictions, r.Issues)
	for i := range issues {
		if issues[i].Rule == maps.RuleNarrowed {
			issues[i].Severity = fault.SeverityError
		}
	}
	if fault.HasErrors(issues) {
		return fhir.CoreDataSet{}, nil, errEvent.With(issues...)
	}
	return core, issues, nil
}
