package delivery

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/issuance"
)

// outboxPage is how many rows one read takes.
const outboxPage = 200

// watchShare bounds what looking at the outbox costs: the next look is so many times as far
// away as this one took.
const watchShare = 20

// Target is how deliveries to one server stand.
type Target struct {
	Name      string
	Waiting   int       // when the outbox was last looked at, less what was delivered since
	Oldest    time.Time // when the one that waits longest became due; zero: none waits
	Paused    bool      // it is left alone at the moment
	Delivered int       // since the start
	Refused   int       // for good, since the start
	Failed    int       // attempts that are repeated, since the start
}

// Status tells how deliveries stand, by name of the server.
func (w *Worker) Status() []Target {
	now := w.o.Clock()
	w.mu.Lock()
	all := make([]Target, 0, len(w.stats))
	for _, t := range w.stats {
		all = append(all, *t)
	}
	w.mu.Unlock()
	for i := range all {
		all[i].Paused = w.paceOf(all[i].Name).paused(now)
	}
	slices.SortFunc(all, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// stat gives the numbers of a server; call it with the lock.
func (w *Worker) stat(name string) *Target {
	t, ok := w.stats[name]
	if !ok {
		t = &Target{Name: name}
		w.stats[name] = t
	}
	return t
}

func (w *Worker) count(a Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.stat(a.Target)
	switch verdict(a.Outcome) {
	case delivered:
		t.Delivered++
	case refused:
		t.Refused++
	case away, strange, hindered:
		t.Failed++
		return
	case overtaken:
	}
	if t.Waiting = max(t.Waiting-1, 0); t.Waiting == 0 {
		t.Oldest = time.Time{}
	}
}

// watch looks at the outbox from time to time: for the numbers, and for what nobody rang for,
// because another process issued it or this one died.
func (w *Worker) watch(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			began := time.Now()
			if w.survey(ctx) {
				poke(w.kick)
			}
			timer.Reset(max(w.o.Poll, watchShare*time.Since(began)))
		}
	}
}

// survey counts the outbox, and reports whether there is anything in it.
func (w *Worker) survey(ctx context.Context) bool {
	seen := map[string]Target{}
	err := w.walk(ctx, func([]issuance.Delivery) {}, func(d issuance.Delivery) bool {
		t := seen[d.To]
		t.Waiting++
		if t.Oldest.IsZero() || d.Since.Before(t.Oldest) {
			t.Oldest = d.Since
		}
		seen[d.To] = t
		return true
	})
	if err != nil {
		w.o.Log.WarnContext(ctx, "outbox of deliveries", slog.Any("error", err))
		return len(seen) > 0
	}
	now := w.o.Clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range seen {
		w.stat(name)
	}
	for name, t := range w.stats {
		t.Waiting, t.Oldest = seen[name].Waiting, seen[name].Oldest
	}
	for id, failed := range w.rows { // those that are not tried any more were withdrawn or done elsewhere
		if now.Sub(failed.until) > w.o.LongestPause {
			delete(w.rows, id)
		}
	}
	return len(seen) > 0
}

// drain hands on what waits in the outbox, about oldest first, whenever there is reason to.
func (w *Worker) drain(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.kick:
			err := w.walk(ctx, w.shuffle, func(d issuance.Delivery) bool {
				now := w.o.Clock()
				if _, known := w.o.Servers(d.To); !known && !w.movable(d) {
					return true
				} else if known && (w.waits(d.ID, now) || w.paceOf(d.To).paused(now)) {
					return !w.allPaused(now)
				}
				w.submit(ctx, d.FolderID)
				return ctx.Err() == nil
			})
			if err != nil {
				w.o.Log.WarnContext(ctx, "outbox of deliveries", slog.Any("error", err))
			}
		}
	}
}

// shuffle puts a page into another order than other gateways have it in, so that they do not
// deliver the same at the same time. The order within folders is looked after elsewhere.
func (w *Worker) shuffle(page []issuance.Delivery) {
	for i := len(page) - 1; i > 0; i-- {
		j := min(int(w.o.Rand()*float64(i+1)), i)
		page[i], page[j] = page[j], page[i]
	}
}

// allPaused reports whether nothing that waits could be delivered.
func (w *Worker) allPaused(now time.Time) bool {
	w.mu.Lock()
	var waiting []string
	for name, t := range w.stats {
		if t.Waiting > 0 {
			waiting = append(waiting, name)
		}
	}
	w.mu.Unlock()
	return !slices.ContainsFunc(waiting, func(name string) bool { return !w.paceOf(name).paused(now) })
}

// walk shows do the open deliveries until it reports false, each page in the order that
// arrange puts it into. Rows that cannot be read are passed over and reported.
func (w *Worker) walk(ctx context.Context, arrange func([]issuance.Delivery), do func(issuance.Delivery) bool) error {
	for after := ""; ; {
		page, next, err := w.o.Queue.Open(ctx, after, outboxPage)
		if err != nil && len(page) == 0 && next == "" {
			return err
		}
		if err != nil {
			w.o.Log.WarnContext(ctx, "a row of the outbox cannot be read", slog.Any("error", err))
		}
		arrange(page)
		for _, d := range page {
			if !do(d) {
				return nil
			}
		}
		if next == "" || ctx.Err() != nil {
			return ctx.Err()
		}
		after = next
	}
}
