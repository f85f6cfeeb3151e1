package main

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// Bounds of the flags.
const (
	maxBenchWorkers = 1000
	minBenchStored  = 3000
)

// benchRow is a line of the table. Goals and recorded references are those of the
// design, "Numbers to reach".
type benchRow struct {
	name       string
	work       string // what is counted
	unit       string // of the figure
	fewer      bool   // less is better
	goal       float64
	references []benchReference // recorded
	measure    func(*bench) (measurement, error)
}

// benchReference is what others reach at the same work.
type benchReference struct {
	Name     string  `json:"name"`
	Value    float64 `json:"value"`
	Recorded bool    `json:"recorded"`        // earlier, not in this run
	Ratio    float64 `json:"ratio,omitempty"` // how many times better than it we are
}

// measurement is what a row found.
type measurement struct {
	value spread
	live  []benchReference
	note  string
}

// notMeasured is the reason why a row has no figure although nothing went wrong.
type notMeasured struct{ reason string }

func (n notMeasured) Error() string { return n.reason }

func recorded(name string, value float64) benchReference {
	return benchReference{Name: name, Value: value, Recorded: true}
}

func benchRows() []benchRow {
	return []benchRow{
		{
			name: "hcert-issue", work: "claims built, signed and encoded, one core", unit: "/s", goal: 6000,
			references: []benchReference{recorded("Node reference SDK", 316)}, measure: (*bench).hcertIssue,
		},
		{
			name: "certificate-with-qr", work: "the same and its QR image, level Q, best mask, PNG, one core", unit: "/s", goal: 900,
			references: []benchReference{recorded("Node reference mediator", 42)}, measure: (*bench).certificateWithQR,
		},
		{
			name: "qr-image", work: "the QR image alone, one core", unit: "/s",
			references: []benchReference{
				recorded("boombuler/barcode", 1000.0/15), recorded("skip2", 1000.0/5), recorded("rsc.io/qr, one fixed mask", 1000/0.08),
			},
			measure: (*bench).qrImage,
		},
		{name: "hcert-verify", work: "texts read and verified, one core", unit: "/s", goal: 6000, measure: (*bench).hcertVerify},
		formatRow(formatDCC, "EU DCC, a vaccination", "issue", formatIssue), formatRow(formatDCC, "EU DCC", "verify", formatVerify),
		formatRow(formatSHC, "SMART Health Card, an immunization", "issue", formatIssue), formatRow(formatSHC, "SMART Health Card", "verify", formatVerify),
		formatRow(formatVDSNC, "VDS-NC, a proof of vaccination", "issue", formatIssue), formatRow(formatVDSNC, "VDS-NC, the chain of its barcode signer included", "verify", formatVerify),
		formatRow(formatICVP, "ICVP, yellow fever", "issue", formatIssue), formatRow(formatICVP, "ICVP", "verify", formatVerify),
		{name: "pdf-card", work: "cards of two doses with two QR codes each, one core", unit: "/s", goal: 150, measure: (*bench).pdfCard},
		{
			name: "revocation-filter", work: "size of the filter for offline verifiers a revocation; the goal is its budget, 24 MiB for 10 million",
			unit: " bits", fewer: true, goal: budgetBits, measure: (*bench).revocationFilter,
		},
		{
			name: "vault-sign", work: "signatures by real Vault transit, 256 callers with one digest a call, coalesced into batches", unit: "/s", goal: 10000,
			references: []benchReference{recorded("one at a time, 32 callers", 3877), recorded("batches of 256", 15775)},
			measure:    (*bench).vaultSign,
		},
		{
			name: "vault-sign-latency", work: "what coalescing adds to a signature: 99th percentile of the wait for company, or the difference of medians if that is more",
			unit: " ms", fewer: true, goal: 2, measure: (*bench).vaultSignLatency,
		},
		{
			name: "whole-issue", work: "certificates issued over HTTP", unit: "/s", goal: 1000,
			references: []benchReference{recorded("CoWIN national peak, a data centre", 278)}, measure: (*bench).wholeIssue,
		},
		{
			name: "bulk-share", work: "lines a second of ddcc issue --bulk by whole-issue", unit: "", goal: 0.8, measure: (*bench).bulkShare,
		},
		{name: "issue-latency", work: "99th percentile at half of that load", unit: " ms", fewer: true, goal: 60, measure: (*bench).issueLatency},
		{name: "gateway-memory", work: "most resident memory of the gateway under these loads", unit: " MiB", fewer: true, goal: 200, measure: (*bench).gatewayMemory},
		{name: "growth", work: "cost of an issue with many stored certificates by its cost with 1,000", unit: "", fewer: true, goal: 1.3, measure: (*bench).growth},
	}
}

// formatRow is a row of a format beside the DDCC. It has no goal of its own.
func formatRow(format, what, does string, measure func(string) func(*bench) (measurement, error)) benchRow {
	works := map[string]string{"issue": "built, signed and encoded", "verify": "read and verified"}
	return benchRow{name: format + "-" + does, work: what + ", " + works[does] + ", one core", unit: "/s", measure: measure(format)}
}

// benchPlan says how long everything takes.
type benchPlan struct {
	codecRounds, signRounds, loadRounds int
	codecRound, signRound, loadRound    time.Duration
	warmUp                              time.Duration // of the processes
	revocations                         int           // in the filter
	growth                              time.Duration // most time to store certificates; 0: no growth
}

func planOf(short bool) benchPlan {
	if short {
		return benchPlan{
			codecRounds: 3, codecRound: 400 * time.Millisecond, signRounds: 3, signRound: 600 * time.Millisecond,
			loadRounds: 3, loadRound: 4 * time.Second, warmUp: 2 * time.Second,
			revocations: 1_000_000,
		}
	}
	return benchPlan{
		codecRounds: 5, codecRound: time.Second, signRounds: 5, signRound: 1500 * time.Millisecond, loadRounds: 5, loadRound: 8 * time.Second,
		warmUp: 4 * time.Second, growth: 100 * time.Second, revocations: revocation.BudgetRevocations,
	}
}
