package mediator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// EntryResult is what became of one batch entry: a certificate, or the reason why not.
type EntryResult struct {
	Generated
	Err  error
	Read bool // it is no event: it was read for the events beside it, and is not kept here
}

// Submit processes a batch of health events (DDCC IG, transaction Submit Health Event).
// Entries are independent: each is issued or refused on its own, several at a time. An
// error means that the batch as a whole was refused and nothing was issued.
func (m *Mediator) Submit(ctx context.Context, by IssuerPolicy, raw []byte, o Options) ([]EntryResult, error) {
	entries, err := m.open(by, raw)
	if err != nil {
		return nil, err
	}
	return m.submit(ctx, by, entries, o), nil
}

func (m *Mediator) submit(ctx context.Context, by IssuerPolicy, entries []fhir.BundleEntry, o Options) []EntryResult {
	// What has not begun by then would not reach the client any more.
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	results := make([]EntryResult, len(entries))
	var group errgroup.Group
	group.SetLimit(m.tuning().Concurrency)
	for i, entry := range entries {
		group.Go(func() error {
			results[i] = m.entry(ctx, by, entry, o.forEntry(i))
			return nil
		})
	}
	_ = group.Wait() // entries report for themselves
	return results
}

// ValidateBatch is Submit without any effect; paths begin with the entry they are about.
func (m *Mediator) ValidateBatch(ctx context.Context, by IssuerPolicy, raw []byte, o Options) ([]fault.Issue, error) {
	entries, err := m.open(by, raw)
	if err != nil {
		return nil, err
	}
	var all []fault.Issue
	for i, entry := range entries {
		all = append(all, m.validateEntry(ctx, by, i, entry, o)...)
	}
	return all, nil
}

func (m *Mediator) validateEntry(ctx context.Context, by IssuerPolicy, i int, entry fhir.BundleEntry, o Options) []fault.Issue {
	kind, err := operation(entry)
	var issues []fault.Issue
	if err == nil {
		issues, err = m.examine(ctx, by, entry.Resource, o, kind)
	}
	if err != nil {
		issues = asIssues(err)
	}
	return prefixed(issues, fmt.Sprintf("Bundle.entry[%d].resource", i))
}

// batchTime is how long entries of a batch may be begun, a good part less than the
// server takes to give an answer up.
const batchTime = 40 * time.Second

var errBatchTime = fault.New(fault.Unavailable, "batch-time", "The batch took too long; this entry was not begun. Send it again.").Retry(time.Second)

func (o Options) forEntry(i int) Options {
	if o.IdempotencyKey != "" {
		o.IdempotencyKey = fmt.Sprintf("%s/%d", o.IdempotencyKey, i)
	}
	if o.Event != "" {
		o.Event = fmt.Sprintf("%s/%d", o.Event, i)
	}
	return o
}

func (m *Mediator) entry(ctx context.Context, by IssuerPolicy, entry fhir.BundleEntry, o Options) EntryResult {
	if ctx.Err() != nil {
		return EntryResult{Err: errBatchTime}
	}
	kind, err := operation(entry)
	if err != nil {
		return EntryResult{Err: err}
	}
	out, err := m.generate(ctx, by, entry.Resource, o, kind)
	return EntryResult{Generated: out, Err: err}
}

// open reads the batch itself.
func (m *Mediator) open(by IssuerPolicy, raw []byte) ([]fhir.BundleEntry, error) {
	if name, err := fhir.ResourceType(raw); err != nil {
		return nil, err
	} else if name != "Bundle" {
		return nil, wrongResource(name, []Kind{KindBundle})
	}
	bundle, err := fhir.ParseBundle(raw)
	if err != nil {
		return nil, err
	}
	return m.openBatch(by, bundle)
}

func (m *Mediator) openBatch(by IssuerPolicy, bundle fhir.Bundle) ([]fhir.BundleEntry, error) {
	limit := m.tuning().MaxEntries
	switch {
	case bundle.Type != "batch":
		return nil, errNotBatch
	case len(bundle.Entry) == 0:
		return nil, errEmptyBatch
	case len(bundle.Entry) > limit:
		return nil, fault.Newf(fault.TooLarge, "batch-size", "A batch may have %d entries; split it.", limit)
	}
	return bundle.Entry, m.admit(by, len(bundle.Entry))
}

var (
	errNotBatch = fault.New(fault.Malformed, "bundle-type", "The Bundle is not a batch.").With(fault.Issue{
		Path: "Bundle.type", Rule: "DDCCSubmitHealthEventRequest", Detail: "The type must be batch.", Fix: "Set Bundle.type to batch.",
	})
	errEmptyBatch = fault.New(fault.Malformed, "bundle-empty", "The batch has no entry.").With(fault.Issue{
		Path: "Bundle.entry", Rule: "DDCCSubmitHealthEventRequest", Detail: "At least one entry is required.", Fix: "Add an entry for each health event.",
	})
	errEntryRequest = fault.New(fault.NotFound, "entry-request", "There is no such operation.").With(fault.Issue{
		Path: "Bundle.entry.request", Rule: "DDCCSubmitHealthEventRequest",
		Detail: "The entry does not ask for a known operation.",
		Fix:    "Use method POST and url QuestionnaireResponse/$generateHealthCertificate or Bundle/$generateHealthCertificate.",
	})
	errEntryResource = fault.New(fault.Malformed, "entry-resource", "The entry has no resource.").With(fault.Issue{
		Path: "Bundle.entry.resource", Rule: "DDCCSubmitHealthEventRequest", Detail: "The resource is required.", Fix: "Put the QuestionnaireResponse or Parameters into the entry.",
	})
)

// operation says what an entry asks for.
func operation(entry fhir.BundleEntry) (Kind, error) {
	kinds := map[string]Kind{
		"QuestionnaireResponse/$generateHealthCertificate": KindQuestionnaireResponse,
		"Bundle/$generateHealthCertificate":                KindBundle,
	}
	kind, ok := kinds[strings.TrimPrefix(entry.URL, "/")]
	switch {
	case entry.Method != "POST" || !ok:
		return "", errEntryRequest
	case entry.Resource == nil:
		return "", errEntryResource
	}
	return kind, nil
}
