package transaction

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

// How a transaction began.
const (
	ViaDirect  = "direct"  // a client of our own listener
	ViaOpenHIM = "openhim" // through OpenHIM
	ViaGateway = "gateway" // the gateway itself: a delivery, or lines of a bulk file
)

// RouteDelivery stands in place of a route in what the gateway does by itself.
const RouteDelivery = "delivery"

// RouteUnmatched is the route of requests that no handler takes.
const RouteUnmatched = "unmatched"

// The outcomes that are no code of a fault.
const (
	OutcomeDone    = "done"
	OutcomePartial = "partial" // a batch of which some entries failed
	OutcomeAborted = "aborted" // the handler gave up half way
	OutcomeFailed  = "failed"  // a status of failure without a fault
)

// OutcomeRateLimited is the code of requests beyond the rate of their issuer.
const OutcomeRateLimited = "rate-limit"

// What is kept of a body.
const (
	BodySealed   = "sealed"
	BodyTooLarge = "too-large" // longer than MaxBody
	BodyWithheld = "withheld"  // of a route whose bodies hold keys or others' certificates
)

// MaxBody bounds a body that is kept, in bytes.
const MaxBody = 512 << 10

// maxCertificates bounds the ids that one record names; what does not fit is counted.
const maxCertificates = 1000

// Body says of a message body how long it was, which one it was, and whether it is kept.
type Body struct {
	Size   int64  // bytes that were read or written
	Digest string // hex HMAC-SHA-256, empty without a body; equal bodies have equal digests
	Kept   string // one of the Body words; empty: bodies are not kept
}

// Transaction is the record of one request or delivery.
type Transaction struct {
	ID          string // UUID version 7 of Started
	Started     time.Time
	Took        time.Duration
	Client      string // issuer id; empty when nobody registered asked
	Unknown     string // why there is no Client: the code of the refusal, or "public"
	Peer        string // name in the client certificate, if there was one
	Via         string
	OpenHIM     string // X-OpenHIM-TransactionID, from OpenHIM alone
	Correlation string
	Method      string
	Route       string // template, RouteUnmatched or RouteDelivery
	Status      int    // HTTP status; 0 for a delivery
	Outcome     string // OutcomeDone, another of the words, or the code of the fault
	Gone        bool   // the client hung up before the end

	Certificates []string // ids issued, handed out again, revoked or delivered
	Omitted      int      // ids that did not fit
	Replayed     bool     // an idempotent repeat: everything asked for was there
	Failed       int      // entries of a batch that failed

	Request, Response Body

	Legs        []orchestration.Leg // in the order they began; not in pages
	LegsOmitted int
}

// Delivery is one attempt of the gateway to hand a certificate on.
type Delivery struct {
	Started     time.Time
	Took        time.Duration
	Client      string // issuer id of the certificate
	Certificate string // its id
	Correlation string // of the request that caused it, if known
	Outcome     string // code of the fault; empty: delivered
	Legs        *orchestration.Record
}

func (d Delivery) transaction() Transaction {
	t := Transaction{
		Started: d.Started, Took: d.Took, Client: d.Client, Correlation: d.Correlation,
		Via: ViaGateway, Route: RouteDelivery, Outcome: d.Outcome, Certificates: []string{d.Certificate},
	}
	if t.Outcome == "" {
		t.Outcome = OutcomeDone
	}
	t.Legs, t.LegsOmitted = d.Legs.Legs()
	return t
}
