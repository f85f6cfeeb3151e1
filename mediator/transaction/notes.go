package transaction

import (
	"context"
	"sync"
)

// Notes collect what a request does that its edge cannot see: which certificates it is
// about. They ride in the context; nil Notes take everything and forget it.
type Notes struct {
	mu           sync.Mutex
	certificates []string
	omitted      int
	fresh, again int
	failed       int
}

type notesKey struct{}

// WithNotes gives a context that carries new notes.
func WithNotes(ctx context.Context) (context.Context, *Notes) {
	n := &Notes{}
	return context.WithValue(ctx, notesKey{}, n), n
}

// NotesOf gives the notes of ctx, nil when it has none.
func NotesOf(ctx context.Context) *Notes {
	n, _ := ctx.Value(notesKey{}).(*Notes)
	return n
}

// Issued notes a certificate that was issued, or found because it was asked for again.
func (n *Notes) Issued(id string, again bool) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if again {
		n.again++
	} else {
		n.fresh++
	}
	n.add(id)
}

// Touched notes a certificate that something else was done to.
func (n *Notes) Touched(id string) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fresh++
	n.add(id)
}

// Failed notes entries of a batch that failed.
func (n *Notes) Failed(entries int) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.failed += entries
}

func (n *Notes) add(id string) {
	if len(n.certificates) >= maxCertificates {
		n.omitted++
		return
	}
	n.certificates = append(n.certificates, id)
}

// Describe puts the notes into a record.
func (n *Notes) Describe(t *Transaction) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Certificates, t.Omitted, t.Failed = n.certificates, n.omitted, n.failed
	t.Replayed = n.again > 0 && n.fresh == 0
	if n.failed > 0 && t.Outcome == OutcomeDone {
		t.Outcome = OutcomePartial
	}
}
