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
	errReceiving = fault.New(fault.Conflict, "bulk-receiving", "A file under this Idempotency-Key is being received.").Retry(receiveTime)
	errLines     = fault.New(fault.TooLarge, "bulk-lines", "The file has more lines than one job may have; send several.")
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
		j, err = s.fill(ctx, j, lines)
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
		return Job{}, err
	}
	s.awake()
	return j, nil
}

// begin makes the row of a job, or finds the one of the same key.
func (s *Service) begin(ctx context.Context, in Request) (Job, bool, error) {
	open, _, err := s.store.Range(ctx, jobs, openPrefix+in.By.ID, "", s.OpenJobs)
	if err != nil {
		return Job{}, false, errStore.Because(err)
	}
	j := Job{ID: s.NewID(), Issuer: in.By.ID, Form: in.Form, Formats: in.Formats, State: StateReceiving, Created: s.now(), Updated: s.now()}
	if in.Key != "" {
		j.key = "key:" + hex.EncodeToString(seal.Pseudonym(s.keys, in.By.ID, in.Key))
		known, found, err := s.known(ctx, j.key)
		if err != nil || found {
			return known, false, err
		}
	}
	if len(open) >= s.OpenJobs {
		return Job{}, false, errOpenJobs
	}
	d, err := s.document(j)
	if err != nil {
		return Job{}, false, err
	}
	stored, err := s.store.Insert(ctx, jobs, d)
	var exists *docstore.ExistsError
	switch {
	case errors.As(err, &exists):
		return Job{}, false, errReceiving
	case err != nil:
		return Job{}, false, errStore.Because(err)
	}
	j.version = stored.Version
	return j, true, nil
}

// known finds the job of a key. One whose receiver is gone gives the key back.
func (s *Service) known(ctx context.Context, key string) (Job, bool, error) {
	d, err := s.store.GetUnique(ctx, jobs, key)
	if errors.Is(err, docstore.ErrNotFound) {
		return Job{}, false, nil
	}
	if err != nil {
		return Job{}, false, errStore.Because(err)
	}
	j, err := parse(d)
	switch {
	case err != nil:
		return Job{}, false, err
	case j.State != StateReceiving:
		return j, true, nil
	case s.now().Sub(j.Updated) < receiveTime:
		return Job{}, false, errReceiving
	}
	return Job{}, false, s.abandon(ctx, j)
}

// abandon ends a job whose file was not read to its end.
func (s *Service) abandon(ctx context.Context, j Job) error {
	j.key, j.State, j.Finished = "", StateStopped, s.now()
	_, err := s.save(ctx, j)
	if errors.Is(err, docstore.ErrVersion) || errors.Is(err, docstore.ErrNotFound) {
		err = nil
	}
	s.discard(ctx, j, 0)
	return err
}

// fill keeps the lines in chunks.
func (s *Service) fill(ctx context.Context, j Job, lines tabular.Reader) (Job, error) {
	var c chunk
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
		if j.Lines > s.MaxLines {
			return j, errLines
		}
		if c.full() || end && len(c.records) > 0 {
			if j, err = s.keep(ctx, j, c); err != nil {
				return j, err
			}
			c = chunk{}
		}
		if end {
			return j, nil
		}
	}
}

// keep writes a chunk. Now and then the row says that the receiver is alive.
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
	if s.now().Sub(j.Updated) < receiveTime/4 {
		return j, nil
	}
	saved, err := s.save(ctx, j)
	if err != nil {
		return j, errStore.Because(err)
	}
	return saved, nil
}
