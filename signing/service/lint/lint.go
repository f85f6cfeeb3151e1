// Package lint holds the rules a certificate must pass before the real key may touch it.
//
// Each rule has its id, the formats it is about, the clause it comes from, and a check on
// what an independent reader made of the bytes that a throwaway key signed. Anything a rule
// finds blocks the signature; there are no warnings here.
package lint

import (
	"crypto/x509"
	"encoding/asn1"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Input is what a rule may look at.
type Input struct {
	Claims      signing.Claims // as the caller stated them
	Reading                    // as the independent reader decoded the signed bytes
	Text        string         // of the throwaway certificate
	ExpiresAt   time.Time      // as the service meant it; zero if Lifelong
	Lifelong    bool           // the certificate is to have no end
	Country     string         // ISO 3166-1 alpha-2 of this signing service
	State       string         // its code in ICAO 9303-3
	SubClaim    int64          // where the profile puts the content inside claim -260; 0: nowhere
	MaxValidity time.Duration  // of the profile
	KID         []byte         // of the key that will sign
	DSC, CSCA   *x509.Certificate
	Usage       asn1.ObjectIdentifier // extended key usage the DSC needs; nil for none
	Now         time.Time

	content, want map[string]any // what was read and what must be there; set by Run
}

// Lint is one rule.
type Lint struct {
	ID     string
	For    formats    // it is about
	Source string     // clause it enforces
	Blame  fault.Kind // fault.Rule: the caller's content; fault.Internal: our own work
	Check  func(Input) []Finding
}

// Finding is one breach: where, what, and how to mend it. It never repeats a value.
type Finding struct {
	Path   string
	Detail string
	Fix    string
}

// All lists the rules in the order they run.
func All() []Lint {
	return []Lint{
		required, dates, dccRules, icvpRules, shcRules, vdsncRules, normalised, size,
		cwtClaims, dscValidity, keyID, algorithm, subClaim, keyUsage, shcClaims, shcKey, vdsncSigner,
		dccEnd, deterministic, correspondence, minimal,
	}
}

// Run applies every rule that is not ignored and returns the findings of the worst kind:
// our own faults hide the caller's, because then nothing we say about the content can be
// trusted.
func Run(in Input, ignored map[string]bool) (fault.Kind, []fault.Issue) {
	found, format := map[fault.Kind][]fault.Issue{}, in.format()
	in.content, in.want = in.read(), in.said()
	for _, l := range All() {
		if l.For&format == 0 || ignored[l.ID] {
			continue
		}
		for _, f := range l.Check(in) {
			found[l.Blame] = append(found[l.Blame], fault.Issue{
				Severity: fault.SeverityError, Path: f.Path, Rule: l.ID, Detail: f.Detail, Fix: f.Fix,
			})
		}
	}
	if own := found[fault.Internal]; len(own) > 0 {
		return fault.Internal, own
	}
	return fault.Rule, found[fault.Rule]
}

// one is a list of a single finding, or none when ok.
func one(ok bool, path, detail, fix string) []Finding {
	if ok {
		return nil
	}
	return []Finding{{Path: path, Detail: detail, Fix: fix}}
}
