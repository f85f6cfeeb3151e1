package main

import (
	"context"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/hl7"
	"github.com/trustedparty/ddcc-gateway/mediator/mllp"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// patients is where ADT messages write: the FHIR server that certificates are delivered to;
// nil when there is none.
func (g *gateway) patients() (hl7.Records, error) {
	if len(g.fhir.servers) == 0 {
		return nil, nil //nolint:nilnil // switched off, which is no error
	}
	names, err := g.settings.FHIR.names()
	if err != nil {
		return nil, err
	}
	return chosenServer{g, names[0]}, nil
}

// chosenServer is the one that OpenHIM's console chose, else the first.
type chosenServer struct {
	*gateway

	first string
}

// Transaction implements hl7.Records.
func (c chosenServer) Transaction(ctx context.Context, bundle []byte) error {
	server, known := c.fhir.servers[c.him.config.FHIREndpoint()]
	if !known {
		server = c.fhir.servers[c.first]
	}
	_, err := server.Transaction(ctx, bundle)
	return err
}

// routeMLLP stands in place of a route in the record of what came over MLLP.
const routeMLLP = "mllp"

// beginMessage gives the context in which the legs and certificates of a message are noted.
func beginMessage(ctx context.Context) context.Context {
	ctx, _ = orchestration.With(ctx)
	ctx, _ = transaction.WithNotes(ctx)
	return ctx
}

// recordMessage puts a message that came over MLLP into the record of transactions.
func (g *gateway) recordMessage(ctx context.Context, e mllp.Exchange) {
	t := transaction.Transaction{
		Started: e.Started, Took: e.Took, Client: e.Issuer, Peer: e.Certificate, Via: transaction.ViaDirect, Route: routeMLLP, Outcome: outcomeOf(e.Answer),
		Request: transaction.Body{Size: int64(e.Request)}, Response: transaction.Body{Size: int64(e.Response)},
	}
	t.Legs, t.LegsOmitted = orchestration.From(ctx).Legs()
	transaction.NotesOf(ctx).Describe(&t)
	g.transactions.recorder.RecordMessage(t)
}

// outcomeOf puts an answer into a word.
func outcomeOf(a hl7.Answer) string {
	switch {
	case a.Cause != nil:
		return fault.From(a.Cause).Code
	case a.Outcome == hl7.Accepted:
		return transaction.OutcomeDone
	case a.Outcome == hl7.Erred:
		return "hl7v2-content"
	case a.Outcome == hl7.Rejected:
		return "hl7v2-not-taken"
	}
	return transaction.OutcomeAborted
}
