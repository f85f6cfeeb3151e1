package service

import "sync"

// recentSize is how many released certificates are kept at hand: those whose documents
// come back to be signed a moment later. A certificate is about 1 KiB.
const recentSize = 2048

// recent is a bounded memory of the certificates this process released. It spares the
// ledger a read for each document; what it forgot, the ledger knows.
type recent struct {
	mu   sync.Mutex
	byID map[string]released
	ring [recentSize]string // ids, oldest overwritten first
	next int
}

func newRecent() *recent { return &recent{byID: make(map[string]released, recentSize)} }

func (r *recent) add(out released) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.byID[out.ID]; known {
		return
	}
	delete(r.byID, r.ring[r.next])
	r.ring[r.next] = out.ID
	r.next = (r.next + 1) % recentSize
	r.byID[out.ID] = out
}

func (r *recent) get(id string) (released, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out, ok := r.byID[id]
	return out, ok
}

// forget is for cancelled intents: nothing more is done for them here.
func (r *recent) forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byID, id)
}
