package mediator

import "github.com/trustedparty/ddcc-gateway/issuance"

// Tuning is what an operator may change while the process runs. Zero values change nothing.
type Tuning struct {
	MaxEntries  int               // of a batch; never above that of Deps
	Concurrency int               // entries of one batch at a time; never above that of Deps
	Formats     []issuance.Format // of issuers whose registration names none
}

// tuning is what holds now.
func (m *Mediator) tuning() Tuning {
	t := m.tuned()
	t.MaxEntries, t.Concurrency = within(t.MaxEntries, m.maxEntries), within(t.Concurrency, m.concurrency)
	return t
}

func within(tuned, own int) int {
	if tuned <= 0 {
		return own
	}
	return min(tuned, own)
}

// issuer is the policy as issuance sees it, with the formats that hold now.
func (m *Mediator) issuer(by IssuerPolicy) issuance.Issuer {
	issuer := by.Issuer()
	if len(by.Formats) == 0 {
		issuer.Fallback = m.tuned().Formats
	}
	return issuer
}
