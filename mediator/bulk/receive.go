package bulk

import (
	"context"
	"encoding/hex"
	"errors"
	"io"

	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/faultpoint"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// Request is a file that an issuer sends.
type Request struct {
	By      mediator.IssuerPolicy
	Form    string // tabular.TypeNDJSON or tabular.TypeCSV
	Formats []issuance.Format
	Key     string // Idempotency-Key; may be empty
	Body    io.Reader
}

var (
	errOpenJobs  = fault.New(fault.TooMany, "bulk-open-jobs", "This issuer has as many open jobs as it may have; wait for one to end, or stop one.")
	errLost      = fault.New(fault.Unavailable, "bulk-lost", "The file came so slowly that its job was given up; send it again.")
	errReceiving = fault.New(fault.Conflict, "bulk-receiving", "A file under this Idempotency-Key is being received.").Retry(receiveTime)
	errLines     = fault.New(fault.TooLarge, "bulk-lines", "The file has more lines than one job may have, or than can be certified at the issuer's rate while the job is kept; send several.")
	errEmpty     = fault.New(fault.Malformed, "bulk-empty", "The file has no line with an event.").With(fault.Issue{
		Path: "file", Rule: tabular.RuleLine, Detail: "There is no line.", Fix: "Send one event a line.",
	})
)

// Receive reads a file to its end and starts its job. The same key again gives the same
// job, and the file is not read. Errors: Malformed (the file as a whole), TooLarge, TooMany,
// Conflict, Unavailable; nothing is left of a file that was not read to its end.
func (s *Service) Receive(ctx context.Context, in Request) (Job, error) {
	j, fresh, err := s.begin(ctx, in)
	if err != nil || !fresh {
		return j, err
	}
	lines, err := tabular.New(in.Form, in.Body)
	if err == nil {
		j, err = s.fill(ctx, j, lines, in.By)
	}
	if err == nil && j.Lines == 0 {
		err = errEmpty
	}
	if err != nil {
		return Job{}, errors.Join(err, s.abandon(context.WithoutCancel(ctx), j))
	}
	faultpoint.Here("bulk-after-received")
	j.State = StateRunning
	if j, err = s.save(ctx, j); err != nil {
		return Job{}, lost(err)
	}
	s.awake()
	return j, nil
}

// begin makes the row of a job, or finds the one of the same key.
func (s *Service) begin(ctx context.Context, in Request) (Job, bool, error) {
	j := Job{ID: s.NewID(), Issuer: in.By.ID, Form: in.Form, Formats: in.Formats, State: StateReceiving, Created: s.now(), Updated: s.now()}
	if in.Key != "" {
		j.key = keyPrefix + hex.EncodeToString(seal.Pseudonym(s.keys, in.By.ID, in.Key))
		known, found, err := s.holder(ctx, j.key)
		switch {
		case err != nil:
			return Job{}, false, err
		case found && known.State == StateReceiving:
			return Job{}, false, errReceiving
		case found:
			return known, false, nil
		}
	}
	for j.Place = 1; j.Place <= s.OpenJobs; j.Place++ {
		if taken, err := s.enter(ctx, &j); err != nil || taken {
			return j, taken, err
		}
		_, found, err := s.holder(ctx, j.placeKey())
		if err != nil {
			return Job{}, false, err
		}
		if found {
			continue
		}
		if taken, err := s.enter(ctx, &j); err != nil || taken { // the receiver of the other was gone
			return j, taken, err
		}
	}
	return Job{}, false, errOpenJobs
}

// enter inserts the row of a job at its place; false: the place is taken.
func (s *Service) enter(ctx context.Context, j *Job) (bool, error) {
	d, err := s.document(*j)
	if err != nil {
		return false, err
	}
	stored, err := s.store.Insert(ctx, jobs, d)
	var exists *docstore.ExistsError
	switch {
	case errors.As(err, &exists) && exists.Key == j.placeKey():
		return false, nil
	case errors.As(err, &exists):
		return false, errReceiving
	case err != nil:
		return false, errStore.Because(err)
	}
	j.version = stored.Version
	return true, nil
}

// holder finds the job that has a unique key. One whose receiver is gone gives it back.
func (s *Service) holder(ctx context.Context, key string) (Job, bool, error) {
	d, err := s.store.GetUnique(ctx, jobs, key)
	if errors.Is(err, docstore.ErrNotFound) {
		return Job{}, false, nil
	}
	if err != nil {
		return Job{}, false, errStore.Because(err)
	}
	j, err := parse(d)
	if err != nil || j.State != StateReceiving || s.now().Sub(j.Updated) < receiveTime {
		return j, err == nil, err
	}
	return Job{}, false, s.abandon(ctx, j)
}

// abandon removes a job whose file was not read to its end; nobody was told its id.
func (s *Service) abandon(ctx context.Context, j Job) error {
	err := s.store.Delete(ctx, jobs, j.ID, j.version)
	switch {
	case errors.Is(err, docstore.ErrVersion), errors.Is(err, docstore.ErrNotFound):
		err = nil
	case err != nil:
		err = errStore.Because(err)
	}
	s.discard(ctx, j, 0)
	return err
}

// most is how many lines a job of the issuer may have: not more than are done at its rate
// within half of the time that jobs are kept.
func (s *Service) most(by mediator.IssuerPolicy) int {
	if by.Rate <= 0 {
		return s.MaxLines
	}
	return int(min(float64(s.MaxLines), max(1, by.Rate*s.retention.Seconds()/2)))
}

// fill keeps the lines of an issuer in chunks.
func (s *Service) fill(ctx context.Context, j Job, lines tabular.Reader, by mediator.IssuerPolicy) (Job, error) {
	c, most := chunkOf(by), s.most(by)
	for {
		record, err := lines.Next()
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return j, err
		}
		if !end {
			c.add(record)
			j.Lines++
		}
		if j, err = s.alive(ctx, j); err != nil {
			return j, err
		}
		if j.Lines > most {
			return j, errLines
		}
		if c.full() || end && len(c.records) > 0 {
			if j, err = s.keep(ctx, j, c); err != nil {
				return j, err
			}
			c = chunkOf(by)
		}
		if end {
			return j, nil
		}
	}
}

// alive says in the row, now and then, that the receiver is there.
func (s *Service) alive(ctx context.Context, j Job) (Job, error) {
	if s.now().Sub(j.Updated) < receiveTime/6 {
		return j, nil
	}
	saved, err := s.save(ctx, j)
	if err != nil {
		return j, lost(err)
	}
	return saved, nil
}

// lost says what it means that the row of a file that is being received cannot be written.
func lost(err error) error {
	if errors.Is(err, docstore.ErrVersion) || errors.Is(err, docstore.ErrNotFound) {
		return errLost
	}
	return err
}

// keep writes a chunk.
func (s *Service) keep(ctx context.Context, j Job, c chunk) (Job, error) {
	id := chunkID(j.ID, j.Chunks)
	body, err := c.pack()
	if err != nil {
		return j, err
	}
	d := docstore.Document{ID: id, Body: s.box.Seal(id, body), Expires: j.Created.Add(s.retention)}
	if _, err := s.store.Insert(ctx, inputs, d); err != nil {
		return j, errStore.Because(err)
	}
	j.Chunks++
	return j, nil
}
