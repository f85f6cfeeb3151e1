package transaction

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// maxCounted bounds the transactions of one statistic.
const maxCounted = 20_000

// Statistics are counts and times over a window.
type Statistics struct {
	From, Until time.Time // of what was counted
	Counted     int
	Complete    bool // false: the window has more than are counted at once; the newest were
	Groups      []Group
}

// Group is the part with one route and one outcome.
type Group struct {
	Route, Outcome     string
	Count              int
	P50, P95, P99, Max time.Duration
}

// Statistics counts what the filter chooses, at most the newest maxCounted records of it.
func (s *Service) Statistics(ctx context.Context, f Filter) (Statistics, error) {
	type key struct{ route, outcome string }
	times := map[key][]time.Duration{}
	out := Statistics{From: f.Since, Until: f.Until}
	var oldest time.Time
	next, err := s.walk(ctx, f, f.start(), maxCounted, func(t Transaction) bool {
		k := key{t.Route, t.Outcome}
		times[k], oldest = append(times[k], t.Took), t.Started
		out.Counted++
		return true
	})
	if err != nil {
		return Statistics{}, err
	}
	if out.Complete = next == ""; !out.Complete && !oldest.IsZero() {
		out.From = oldest
	}
	for k, took := range times {
		slices.Sort(took)
		out.Groups = append(out.Groups, Group{
			Route: k.route, Outcome: k.outcome, Count: len(took),
			P50: percentile(took, 50), P95: percentile(took, 95), P99: percentile(took, 99), Max: took[len(took)-1],
		})
	}
	slices.SortFunc(out.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Outcome, b.Outcome))
	})
	return out, nil
}

// percentile is the nearest rank of sorted values.
func percentile(sorted []time.Duration, p int) time.Duration {
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}
