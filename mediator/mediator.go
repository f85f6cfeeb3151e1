package mediator

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// Issuance is what the mediator needs of the issuance module.
type Issuance interface {
	Check(issuer issuance.Issuer, core fhir.CoreDataSet, formats []issuance.Format) ([]issuance.LeftOut, error)
	Issue(ctx context.Context, in issuance.Request) (issuance.Issued, error)
	// Standing gives the id of the certificate of an event that a system of the issuer names.
	// Errors: NotFound.
	Standing(ctx context.Context, issuer, event string) (string, error)
	// AssignHCID gives the Health Certificate ID of an issuer's patient.
	AssignHCID(issuer string, patient fhir.Identifier) string
}

// Deps is everything the mediator is made of. Issuance, Verifier and Clock are required.
type Deps struct {
	Issuance    Issuance
	Verifier    Verifier      // of $convert
	Maps        StructureMaps // nil: the gateway's own alone
	Records     Records       // of the FHIR servers that notify; nil: notifications are refused
	IDKey       []byte        // makes ids of resources that C-CDA documents become unguessable
	Clock       func() time.Time
	MaxEntries  int           // of a batch; default 500
	Concurrency int           // entries of one batch at a time; default 8
	Tuned       func() Tuning // asked for each request; nil: nothing changes
}

// Mediator reads health events and has them certified. It is safe for concurrent use.
type Mediator struct {
	issuance    Issuance
	verifier    Verifier
	records     Records
	maps        StructureMaps
	idKey       []byte
	clock       func() time.Time
	maxEntries  int
	concurrency int
	tuned       func() Tuning

	mu       sync.Mutex
	limiters map[string]*rate.Limiter // one an issuer; issuers come from a file, so this is bounded
}

// New checks the wiring.
func New(d Deps) (*Mediator, error) {
	if d.Issuance == nil || d.Verifier == nil || d.Clock == nil {
		return nil, errors.New("mediator: a dependency is missing")
	}
	if d.MaxEntries <= 0 {
		d.MaxEntries = 500
	}
	if d.Concurrency <= 0 {
		d.Concurrency = 8
	}
	if d.Maps == nil {
		d.Maps = ownMaps{}
	}
	if d.Tuned == nil {
		d.Tuned = func() Tuning { return Tuning{} }
	}
	return &Mediator{
		issuance: d.Issuance, verifier: d.Verifier, records: d.Records, maps: d.Maps, idKey: d.IDKey, clock: d.Clock, maxEntries: d.MaxEntries, concurrency: d.Concurrency, tuned: d.Tuned,
		limiters: map[string]*rate.Limiter{},
	}, nil
}

// Options of a request that are not in its body.
type Options struct {
	IdempotencyKey string
	OnlyNew        bool              // If-None-Match: *
	Formats        []issuance.Format // where the body names none
	Event          string            // what the issuer's system calls the event; may be empty
}

// Generated is an issued event with what is to be said about it.
type Generated struct {
	issuance.Issued
	Warnings []fault.Issue // findings below error, and why a format was left out
	Named    bool          // the request named formats
}

// Generate issues the certificate of one health event ($generateHealthCertificate).
func (m *Mediator) Generate(ctx context.Context, by IssuerPolicy, raw []byte, o Options, kinds ...Kind) (Generated, error) {
	if err := m.admit(by, 1); err != nil {
		return Generated{}, err
	}
	return m.generate(ctx, by, raw, o, kinds...)
}

func (m *Mediator) generate(ctx context.Context, by IssuerPolicy, raw []byte, o Options, kinds ...Kind) (Generated, error) {
	core, asked, issues, err := m.event(ctx, by, raw, kinds)
	if err != nil {
		return Generated{}, err
	}
	asked = asked.within(o)
	out, err := m.issue(ctx, by, core, asked, o)
	return Generated{Issued: out, Warnings: append(issues, leftOut(out)...), Named: asked.Formats != nil}, err
}

func (m *Mediator) issue(ctx context.Context, by IssuerPolicy, core fhir.CoreDataSet, asked Asked, o Options) (issuance.Issued, error) {
	return m.issuance.Issue(ctx, issuance.Request{
		Issuer: m.issuer(by), Core: core, IdempotencyKey: o.IdempotencyKey, OnlyNew: o.OnlyNew,
		Formats: asked.Formats, Supersedes: asked.Supersedes,
	})
}

// leftOut says of each format that was asked for in vain why it is not there.
func leftOut(out issuance.Issued) []fault.Issue {
	var issues []fault.Issue
	for _, l := range out.LeftOut {
		for _, i := range l.Issues {
			i.Severity, i.Rule = fault.SeverityWarning, string(l.Format)+":"+i.Rule
			issues = append(issues, i)
		}
	}
	return issues
}

// Validate is Generate without any effect ($validate): every finding, errors and
// warnings. The error is set only when there is no event to examine or the issuer asks too
// often. Whether a HCID belongs to another person is found out at issue alone.
func (m *Mediator) Validate(ctx context.Context, by IssuerPolicy, raw []byte, o Options, kinds ...Kind) ([]fault.Issue, error) {
	if err := m.admit(by, 1); err != nil {
		return nil, err
	}
	return m.examine(ctx, by, raw, o, kinds...)
}

// examine gives every finding about an event. What issuance would refuse for the issuer's
// sake is a finding too; an event that cannot be read is an error.
func (m *Mediator) examine(ctx context.Context, by IssuerPolicy, raw []byte, o Options, kinds ...Kind) ([]fault.Issue, error) {
	core, asked, issues, err := m.event(ctx, by, raw, kinds)
	if fault.HasErrors(issues) {
		return issues, nil
	}
	if err != nil {
		return nil, err
	}
	left, err := m.issuance.Check(m.issuer(by), core, asked.within(o).Formats)
	if err != nil {
		return append(issues, asIssues(err)...), nil
	}
	return append(issues, leftOut(issuance.Issued{LeftOut: left})...), nil
}

// asIssues makes findings of a refusal.
func asIssues(err error) []fault.Issue {
	f := fault.From(err)
	if len(f.Issues) > 0 {
		return f.Issues
	}
	return []fault.Issue{{Rule: f.Code, Detail: f.Detail}}
}

var errRate = fault.New(fault.TooMany, "rate-limit", "This issuer sends more than was agreed.")

// Admit charges n certificates to the issuer's rate, for what is not done through the
// mediator.
func (m *Mediator) Admit(by IssuerPolicy, n int) error { return m.admit(by, n) }

// admit charges n certificates to the issuer's rate. A batch larger than the burst could
// never be admitted, so it is too large.
func (m *Mediator) admit(by IssuerPolicy, n int) error {
	if n > by.Burst {
		return fault.Newf(fault.TooLarge, "batch-burst", "This issuer may send %d entries at once; split the batch.", by.Burst)
	}
	m.mu.Lock()
	limiter, ok := m.limiters[by.ID]
	if !ok {
		limiter = rate.NewLimiter(rate.Limit(by.Rate), by.Burst)
		m.limiters[by.ID] = limiter
	}
	m.mu.Unlock()
	now := m.clock()
	reservation := limiter.ReserveN(now, n)
	if wait := reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return errRate.Retry(wait)
	}
	return nil
}
