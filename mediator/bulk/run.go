package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
)

// Result is what became of one line.
type Result struct {
	Line     int           `json:"line"`
	ID       string        `json:"id,omitempty"`     // of the certificate
	Folder   string        `json:"folder,omitempty"` // of its Health Certificate ID
	Replayed bool          `json:"replayed,omitempty"`
	Kind     fault.Kind    `json:"kind,omitempty"` // of the failure, where there is no certificate
	Issues   []fault.Issue `json:"issues,omitempty"`
}

func (s *Service) awake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// poll is how often jobs are looked for that nobody announced: those of a gateway that is
// gone.
const poll = 5 * time.Second

// maxActive bounds the jobs that are done at a time, and with them the memory.
const maxActive = 16

// Run does jobs until ctx ends, each by itself: one whose issuer has used its rate up keeps
// no other waiting.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	var group sync.WaitGroup
	defer group.Wait()
	active := activity{of: map[string]bool{}}
	for {
		if err := s.start(ctx, &group, &active); err != nil && ctx.Err() == nil {
			s.Report(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// activity says which jobs this gateway is at.
type activity struct {
	mu sync.Mutex
	of map[string]bool
}

// take reserves a job, unless it is taken or there are enough.
func (a *activity) take(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of[id] || len(a.of) >= maxActive {
		return false
	}
	a.of[id] = true
	return true
}

func (a *activity) leave(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of, id)
}

// start looks for jobs that nobody here is at.
func (s *Service) start(ctx context.Context, group *sync.WaitGroup, active *activity) error {
	for after := ""; ; {
		page, next, err := s.store.Range(ctx, jobs, runningIndex, after, 100)
		if err != nil {
			return errStore.Because(err)
		}
		for _, d := range page {
			if active.take(d.ID) {
				group.Go(func() {
					done := s.drive(ctx, d.ID)
					active.leave(d.ID)
					if done {
						s.awake() // there may be one that found no place
					}
				})
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}

// drive does a job to its end. It is false when the job has to be looked at again later:
// somebody else is at it, or it failed.
func (s *Service) drive(ctx context.Context, id string) bool {
	for ctx.Err() == nil {
		d, err := s.store.Get(ctx, jobs, id)
		if err != nil {
			return false
		}
		j, err := parse(d)
		if err == nil && j.State != StateRunning {
			return true
		}
		if err == nil {
			err = s.step(ctx, j)
		}
		switch {
		case errors.Is(err, docstore.ErrVersion), errors.Is(err, docstore.ErrNotFound), ctx.Err() != nil:
			return false
		case err != nil:
			s.Report(fmt.Errorf("bulk job %s: %w", id, err))
			return false
		}
	}
	return false
}

// step does the next chunk of a job; docstore.ErrVersion when another gateway does.
func (s *Service) step(ctx context.Context, j Job) error {
	if s.now().Before(j.Lease) {
		return docstore.ErrVersion
	}
	j.Lease = s.now().Add(leaseTime)
	j, err := s.save(ctx, j)
	if err != nil {
		return err
	}
	done, err := s.chunk(ctx, j)
	if err != nil {
		return err
	}
	faultpoint.Here("bulk-after-results")
	used := j.Next
	j.Next, j.Lease = j.Next+1, time.Time{}
	for _, r := range done {
		if r.ID != "" {
			j.Issued++
		} else {
			j.Failed++
		}
	}
	if j.Next >= j.Chunks {
		j.State, j.Finished = StateDone, s.now()
	}
	if _, err = s.save(ctx, j); err != nil {
		return err
	}
	_ = s.store.Delete(ctx, inputs, chunkID(j.ID, used), 1) // what is left over expires
	return nil
}

// chunk gives the results of the job's next chunk: those that were kept, or new ones.
func (s *Service) chunk(ctx context.Context, j Job) ([]Result, error) {
	id := chunkID(j.ID, j.Next)
	kept, err := s.results(ctx, id)
	if err != nil || kept != nil {
		return kept, err
	}
	d, err := s.store.Get(ctx, inputs, id)
	if err != nil {
		return nil, errStore.Because(err)
	}
	plain, err := s.box.Open(id, d.Body)
	if err != nil {
		return nil, err
	}
	lines, err := unpack(plain)
	if err != nil {
		return nil, err
	}
	done, err := s.observed(ctx, j, lines)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(done)
	if err != nil {
		return nil, err
	}
	_, err = s.store.Insert(ctx, results, docstore.Document{ID: id, Body: body, Expires: j.Created.Add(s.retention)})
	var exists *docstore.ExistsError
	if errors.As(err, &exists) { // another gateway was as fast; its word counts
		return s.results(ctx, id)
	}
	if err != nil {
		return nil, errStore.Because(err)
	}
	return done, nil
}

// observed is lines, and tells of it.
func (s *Service) observed(ctx context.Context, j Job, lines []line) ([]Result, error) {
	if s.Begin != nil {
		ctx = s.Begin(ctx)
	}
	began := s.Clock()
	done, err := s.lines(ctx, j, lines)
	if s.Observe == nil || err != nil {
		return done, err
	}
	w := Work{Issuer: j.Issuer, Started: began, Took: s.Clock().Sub(began)}
	for _, r := range done {
		if r.ID == "" {
			w.Failed++
		}
	}
	s.Observe(ctx, w)
	return done, nil
}

// results gives the kept results of a chunk, nil when there are none.
func (s *Service) results(ctx context.Context, id string) ([]Result, error) {
	d, err := s.store.Get(ctx, results, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, errStore.Because(err)
	}
	var out []Result
	err = json.Unmarshal(d.Body, &out)
	return out, err
}
