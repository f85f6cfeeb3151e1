package mediator

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// The Bundle types of the system interaction.
const (
	TypeBatch       = "batch"
	TypeTransaction = "transaction"
)

var errNotSystem = fault.New(fault.Malformed, "bundle-type", "The Bundle is neither a batch nor a transaction.").With(fault.Issue{
	Path: "Bundle.type", Rule: "system-interaction", Detail: "The type must be batch or transaction.", Fix: "Set Bundle.type, or post the Bundle to one of the operations.",
})

// System is FHIR's system interaction (FHIR R4 §3.1.0.11): a batch is Submit; the events of
// a transaction are certified all together or not at all, and its other resources are read
// for them and not kept. It gives the type of the Bundle and a result for each entry. Errors:
// as of Submit and GenerateFolder.
func (m *Mediator) System(ctx context.Context, by IssuerPolicy, raw []byte, o Options) (kind string, results []EntryResult, err error) {
	name, err := fhir.ResourceType(raw)
	switch {
	case err != nil:
		return "", nil, err
	case name != string(KindBundle):
		return "", nil, wrongResource(name, []Kind{KindBundle})
	}
	bundle, err := fhir.ParseBundle(raw)
	if err != nil {
		return "", nil, err
	}
	switch bundle.Type {
	case TypeBatch:
		entries, err := m.openBatch(by, bundle)
		if err != nil {
			return "", nil, err
		}
		return TypeBatch, m.submit(ctx, by, entries, o), nil
	case TypeTransaction:
		results, err = m.transaction(ctx, by, bundle, o)
		return TypeTransaction, results, err
	}
	return "", nil, errNotSystem
}

var errTransactionSize = fault.New(fault.TooLarge, "transaction-size", "The transaction has too many entries; send several.")

// transaction certifies the events and answers each entry in its place.
func (m *Mediator) transaction(ctx context.Context, by IssuerPolicy, bundle fhir.Bundle, o Options) ([]EntryResult, error) {
	if len(bundle.Entry) > m.tuning().MaxEntries {
		return nil, errTransactionSize
	}
	in := folderInput{bundle: bundle.Raw, asked: Asked{}.within(o)}
	in.read(bundle)
	out, err := m.certify(ctx, by, in, o)
	if err != nil {
		return nil, err
	}
	results := make([]EntryResult, len(bundle.Entry))
	for i := range results {
		results[i].Read = true
	}
	for i, e := range in.events {
		results[e.Entry] = EntryResult{Generated: out.Issued[i]}
	}
	return results, nil
}
