package hl7

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// Certifier has the doses of a Bundle certified, all or none.
type Certifier interface {
	// Certify gives a certificate for each Immunization of the Bundle, in its order, and what
	// is to be said about them. The same Immunization again has the certificate it had.
	Certify(ctx context.Context, by mediator.IssuerPolicy, bundle []byte) ([]Certificate, []fault.Issue, error)
}

// Certificate is what became of a dose.
type Certificate struct {
	ID       string
	Replayed bool // it existed before
}

// Records keeps patients and visits; a FHIR server.
type Records interface {
	// Transaction processes a transaction Bundle, all or none. Its entries are conditional
	// updates, so that it may be repeated.
	Transaction(ctx context.Context, bundle []byte) error
}

// Limiter charges messages to an issuer's rate.
type Limiter interface {
	Admit(by mediator.IssuerPolicy, n int) error
}

// Options are what an operator decides.
type Options struct {
	Processing []string          // ids of MSH-11 that are taken, e.g. P
	Systems    map[string]string // URIs of authorities and coding systems by the senders' names
	HCIDType   string            // see hl7v2.Options
	Historical []string          // issuers whose historical doses are certified, too
	Admissions []string          // issuers that may send ADT
}

// Deps is everything the service is made of. Records may be nil: then ADT is rejected.
type Deps struct {
	Certifier Certifier
	Limiter   Limiter
	Records   Records
	Clock     func() time.Time
	Options   Options
}

// Service processes messages. It is safe for concurrent use.
type Service struct{ Deps }

// New checks the wiring.
func New(d Deps) (*Service, error) {
	if d.Certifier == nil || d.Limiter == nil || d.Clock == nil || len(d.Options.Processing) == 0 {
		return nil, errors.New("hl7: a dependency is missing")
	}
	return &Service{d}, nil
}

// Outcome is what became of a message.
type Outcome uint8

// The outcomes, as the letters of table 0008.
const (
	Accepted Outcome = 'A' // done
	Erred    Outcome = 'E' // its content is not acceptable; the same again will not be
	Rejected Outcome = 'R' // not taken, or not now
)

// Answer is what is said about one message.
type Answer struct {
	Acknowledgement []byte // ER7; empty when the sender does not want to hear this
	Code            string // of MSA-1, empty as above
	Outcome         Outcome
	Event           string   // "VXU^V04", "ADT^A01" …; "other" for what is not taken
	Certificates    []string // ids of the certificates of its doses
	Temporary       bool     // the same message again may be accepted
	Unreadable      bool     // it is no HL7 v2 message
	Cause           error    // of a failure that is not the message's; nil otherwise
}

// result is an Answer in the making.
type result struct {
	outcome  Outcome
	findings []hl7v2.Finding
	issued   []string
	cause    error
}

// Process takes one message of an issuer and gives the acknowledgement for it.
func (s *Service) Process(ctx context.Context, by mediator.IssuerPolicy, raw []byte) Answer {
	message, findings := hl7v2.Parse(raw)
	var r result
	if hl7v2.HasErrors(findings) {
		r = s.unprocessed(by, result{outcome: Erred, findings: findings})
	} else {
		r = s.take(ctx, by, message)
	}
	a := Answer{Outcome: r.outcome, Event: "other", Certificates: r.issued, Unreadable: message.Header.IsZero(), Cause: r.cause}
	a.Temporary = r.cause != nil && temporary(fault.KindOf(r.cause))
	if h := message.Header; hl7v2.CheckEvent(h) == nil {
		a.Event = h.Type + "^" + h.Event
	}
	if a.Code = code(message.Header, r.outcome); a.Code != "" {
		a.Acknowledgement = hl7v2.Acknowledge(message, raw, hl7v2.Acknowledgement{Code: a.Code, At: s.Clock(), Findings: r.findings})
	}
	return a
}

// take processes a message that could be read.
func (s *Service) take(ctx context.Context, by mediator.IssuerPolicy, m hl7v2.Message) result {
	found := append(m.Header.Check(s.Options.Processing), hl7v2.CheckEvent(m.Header)...)
	if found != nil {
		return s.unprocessed(by, result{outcome: Rejected, findings: found})
	}
	o := hl7v2.Options{Sender: by.ID, Systems: s.Options.Systems, HCIDType: s.Options.HCIDType}
	if m.Header.Type == "ADT" {
		return s.admission(ctx, by, m, o)
	}
	return s.vaccinations(ctx, by, m, o)
}

// unprocessed charges a message that leads to nothing: it cost time all the same.
func (s *Service) unprocessed(by mediator.IssuerPolicy, r result) result {
	if err := s.Limiter.Admit(by, 1); err != nil {
		return failed(err, nil)
	}
	return r
}

// admission hands an ADT message on to the FHIR server.
func (s *Service) admission(ctx context.Context, by mediator.IssuerPolicy, m hl7v2.Message, o hl7v2.Options) result {
	event := hl7v2.Location{Segment: "MSH", Sequence: 1, Field: 9}
	switch {
	case !slices.Contains(s.Options.Admissions, by.ID):
		return s.unprocessed(by, result{outcome: Rejected, findings: []hl7v2.Finding{hl7v2.NewFinding(event, hl7v2.CodeOther, "hl7v2-admissions",
			"This issuer may not send messages of patient administration.", "Ask the operator of the gateway to name it for them.")}})
	case s.Records == nil:
		return s.unprocessed(by, result{outcome: Rejected, findings: []hl7v2.Finding{hl7v2.NewFinding(event, hl7v2.CodeMessageType, "hl7v2-records",
			"This gateway has no FHIR server for messages of patient administration.", "Send VXU^V04 alone.")}})
	}
	if err := s.Limiter.Admit(by, 1); err != nil {
		return failed(err, nil)
	}
	bundle, places, found := hl7v2.ReadAdmission(m, o)
	if hl7v2.HasErrors(found) {
		return result{outcome: Erred, findings: heard(found)}
	}
	if err := s.Records.Transaction(ctx, bundle); err != nil {
		return failed(ofServer(err), places)
	}
	return result{outcome: Accepted, findings: heard(found)}
}

// code gives MSA-1. In the original mode every message is answered. In the enhanced mode
// (v2.5.1 §2.9.3) the sender says which answers it wants. As a message is processed before it
// is answered, one answer says both that it was taken and what became of it: the application
// acknowledgement where that is wanted, else the accept acknowledgement.
func code(h hl7v2.Header, o Outcome) string {
	switch {
	case !h.Enhanced() || wanted(h.ApplicationAck, o):
		return "A" + string(rune(o))
	case wanted(h.AcceptAck, o):
		return "C" + string(rune(o))
	}
	return ""
}

// wanted reads a condition of table 0155.
func wanted(condition string, o Outcome) bool {
	switch condition {
	case "", "NE":
		return false
	case "ER":
		return o != Accepted
	case "SU":
		return o == Accepted
	}
	return true
}
