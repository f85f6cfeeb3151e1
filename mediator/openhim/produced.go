package openhim

import (
	"context"
	"sync"

	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// produced collects what a request brought about: certificates, new ones and old; and
// whether a repetition of it by the core would count.
type produced struct {
	mu         sync.Mutex
	ids        []string
	fresh      int
	repeatable bool
}

type producedKey struct{}

func withProduced(ctx context.Context) (context.Context, *produced) {
	p := &produced{}
	return context.WithValue(ctx, producedKey{}, p), p
}

func producedOf(ctx context.Context) *produced {
	p, _ := ctx.Value(producedKey{}).(*produced)
	return p
}

// mayRepeat notes that the request came over a channel of one client; nil forgets it.
func (p *produced) mayRepeat() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.repeatable = true
}

func (p *produced) add(out issuance.Issued) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ids = append(p.ids, out.ID)
	if !out.Replayed {
		p.fresh++
	}
}

// get gives the ids, how many of the certificates are new, and what mayRepeat noted.
func (p *produced) get() (ids []string, fresh int, repeatable bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids, p.fresh, p.repeatable
}

// Track is an Issuance that tells the edge which certificates a request brought about.
func Track(next mediator.Issuance) mediator.Issuance { return tracked{next} }

type tracked struct{ mediator.Issuance }

// Issue implements mediator.Issuance.
func (t tracked) Issue(ctx context.Context, in issuance.Request) (issuance.Issued, error) {
	out, err := t.Issuance.Issue(ctx, in)
	if p := producedOf(ctx); p != nil && err == nil {
		p.add(out)
	}
	return out, err
}
