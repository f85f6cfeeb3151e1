package delivery

import (
	"slices"
	"sync"
)

// maxRung bounds the folders that the bell remembers. What it forgets the next look at the
// outbox finds.
const maxRung = 10_000

// Bell is the issuance.Outbox of a worker: it names the server for what is issued now, and
// wakes the worker for it. It never blocks.
type Bell struct {
	target func() string
	signal chan struct{} // capacity 1

	mu  sync.Mutex
	due map[string]bool
}

// NewBell makes a bell. target names the FHIR server that is chosen at the moment, empty for
// none.
func NewBell(target func() string) *Bell {
	return &Bell{target: target, signal: make(chan struct{}, 1), due: map[string]bool{}}
}

// Target implements issuance.Outbox.
func (b *Bell) Target() string { return b.target() }

// Due implements issuance.Outbox.
func (b *Bell) Due(folderID string) {
	b.mu.Lock()
	if len(b.due) < maxRung {
		b.due[folderID] = true
	}
	b.mu.Unlock()
	poke(b.signal)
}

// take gives the folders that were rung for since the last call, in a fixed order.
func (b *Bell) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := make([]string, 0, len(b.due))
	for id := range b.due {
		ids = append(ids, id)
	}
	clear(b.due)
	slices.Sort(ids)
	return ids
}

// poke leaves a signal unless one is there.
func poke(signal chan struct{}) {
	select {
	case signal <- struct{}{}:
	default:
	}
}
