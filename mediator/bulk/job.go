package bulk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/issuance"
)

// State of a job.
type State string

// The states of a job.
const (
	StateReceiving State = "receiving" // its file is being read
	StateRunning   State = "running"
	StateDone      State = "done"
	StateStopped   State = "stopped" // by its issuer
)

// Job is one file. It holds nothing of its content.
type Job struct {
	ID       string            `json:"id"`
	Issuer   string            `json:"issuer"`
	Form     string            `json:"form"` // media type of the file
	Formats  []issuance.Format `json:"formats,omitempty"`
	State    State             `json:"state"`
	Created  time.Time         `json:"created"`
	Updated  time.Time         `json:"updated"`
	Finished time.Time         `json:"finished,omitzero"`
	Chunks   int               `json:"chunks"` // of the input
	Next     int               `json:"next"`   // first chunk without results
	Lines    int               `json:"lines"`  // records of the file
	Issued   int               `json:"issued"`
	Failed   int               `json:"failed"`
	Place    int               `json:"place"`          // among the issuer's open jobs, from 1 on
	Lease    time.Time         `json:"lease,omitzero"` // until then one gateway works on it

	key     string // unique key of the issuer's Idempotency-Key; may be empty
	version int64
}

// Done is how many lines have a result.
func (j Job) Done() int { return j.Issued + j.Failed }

// Collections of the store.
const (
	jobs    = "bulk-jobs"
	inputs  = "bulk-input"
	results = "bulk-results"
)

// Prefixes of the unique keys of jobs.
const (
	keyPrefix   = "key:"
	placePrefix = "place:" // issuer and number; held while the job is open
)

// placeKey makes sure that an issuer has no more open jobs than places.
func (j Job) placeKey() string { return placePrefix + j.Issuer + "/" + strconv.Itoa(j.Place) }

// Index keys of jobs.
const (
	runningIndex = "running"
	openPrefix   = "open:" // and the issuer: not ended
)

// Times of a job.
const (
	receiveTime = 3 * time.Minute  // longer than the slowest line takes; a receiver that was silent for so long is gone
	leaseTime   = 15 * time.Second // longer than a chunk takes; one that takes longer is only done twice
)

var (
	errStore    = fault.New(fault.Unavailable, "bulk-unavailable", "The store of bulk jobs cannot be reached at the moment.").Retry(5 * time.Second)
	errNotFound = fault.New(fault.NotFound, "not-found", "There is no such job for this issuer.")
)

func (s *Service) document(j Job) (docstore.Document, error) {
	body, err := json.Marshal(j)
	if err != nil {
		return docstore.Document{}, err
	}
	d := docstore.Document{ID: j.ID, Version: j.version, Body: body, Expires: j.Created.Add(s.retention)}
	if j.key != "" {
		d.Unique = []string{j.key}
	}
	switch j.State {
	case StateRunning:
		d.Index, d.Unique = []string{runningIndex, openPrefix + j.Issuer}, append(d.Unique, j.placeKey())
	case StateReceiving:
		d.Index, d.Unique = []string{openPrefix + j.Issuer}, append(d.Unique, j.placeKey())
	case StateDone, StateStopped:
	}
	return d, nil
}

func parse(d docstore.Document) (Job, error) {
	var j Job
	if err := json.Unmarshal(d.Body, &j); err != nil {
		return Job{}, fault.From(err)
	}
	j.version = d.Version
	if n := slices.IndexFunc(d.Unique, func(k string) bool { return strings.HasPrefix(k, keyPrefix) }); n >= 0 {
		j.key = d.Unique[n]
	}
	return j, nil
}

// save writes j over the version it was read at; docstore.ErrVersion when somebody was
// faster.
func (s *Service) save(ctx context.Context, j Job) (Job, error) {
	j.Updated = s.now()
	d, err := s.document(j)
	if err != nil {
		return Job{}, err
	}
	stored, err := s.store.Update(ctx, jobs, d)
	switch {
	case errors.Is(err, docstore.ErrVersion), errors.Is(err, docstore.ErrNotFound):
		return Job{}, err
	case err != nil:
		return Job{}, errStore.Because(err)
	}
	j.version = stored.Version
	return j, nil
}

// Get gives a job to the issuer it belongs to; to anybody else it does not exist.
func (s *Service) Get(ctx context.Context, issuer, id string) (Job, error) {
	d, err := s.store.Get(ctx, jobs, id)
	if errors.Is(err, docstore.ErrNotFound) {
		return Job{}, errNotFound
	}
	if err != nil {
		return Job{}, errStore.Because(err)
	}
	j, err := parse(d)
	if err == nil && j.Issuer != issuer {
		err = errNotFound
	}
	return j, err
}

// Stop ends a job: lines that have no result get none. What was issued stays issued. A job
// that has ended stays as it is.
func (s *Service) Stop(ctx context.Context, issuer, id string) error {
	for {
		j, err := s.Get(ctx, issuer, id)
		if err != nil || j.State == StateDone || j.State == StateStopped {
			return err
		}
		from := j.Next
		j.State, j.Finished = StateStopped, s.now()
		if j, err = s.save(ctx, j); errors.Is(err, docstore.ErrVersion) {
			continue
		} else if err != nil {
			return err
		}
		s.discard(ctx, j, from)
		return nil
	}
}

// discard removes input that is not needed any more. What is left over expires.
func (s *Service) discard(ctx context.Context, j Job, from int) {
	for n := from; n < j.Chunks; n++ {
		_ = s.store.Delete(ctx, inputs, chunkID(j.ID, n), 1)
	}
}

func chunkID(job string, n int) string { return fmt.Sprintf("%s/%07d", job, n) }
