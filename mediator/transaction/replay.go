package transaction

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
)

var (
	errNotDelivery = fault.New(fault.Rule, "leg-not-replayable", "This call cannot be made again.").With(fault.Issue{
		Path: "id", Rule: "delivery", Detail: "Only calls of a delivery are replayed.", Fix: "Send the request again, or replay a transaction of the route delivery.",
	})
	errNotFailed = fault.New(fault.Rule, "leg-not-replayable", "This call cannot be made again.").With(fault.Issue{
		Path: "leg", Rule: "failed", Detail: "The call did not fail.", Fix: "Name a call with a failure or a status of 400 or more.",
	})
	errRunning = fault.New(fault.Conflict, "replay-running", "Another operator replays this call at the moment; ask again in a few seconds.")
)

// replayLease is how long a replay may take. Afterwards another may take its place: its
// process died, and a repeat is harmless.
const replayLease = time.Minute

// Replayed is what became of a replay.
type Replayed struct {
	At    time.Time // when it was done
	Again bool      // it had been done before; nothing was done now
}

// claim is the stored right to replay one call.
type claim struct {
	At   time.Time `json:"at"`
	Done bool      `json:"done"`
}

// Replay makes the failed call n (from 1) of a delivery again, by delivering its certificate
// again; what comes of it is a transaction of its own. It is done once, however often it is
// asked for. Errors: ErrUnknown, ErrNoLeg, Rule (not a failed call of a delivery), Conflict
// (being done), Unavailable, and those of the Replayer.
func (s *Service) Replay(ctx context.Context, operator, id string, n int) (Replayed, error) {
	found, err := s.Get(ctx, id)
	if err != nil {
		return Replayed{}, err
	}
	if err := s.replayable(found.Transaction, n); err != nil {
		return Replayed{}, err
	}
	// From here on a client that hangs up changes nothing.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), replayLease/2)
	defer cancel()
	entry := audit.Entry{
		Action: actionReplayIntent, Actor: operator, Subject: id, Outcome: "intended",
		Attributes: map[string]string{"leg": strconv.Itoa(n), "certificate": found.Certificates[0]},
	}
	if _, err := s.Audit.Append(ctx, entry); err != nil {
		return Replayed{}, errAudit.Because(err)
	}
	out, err := s.once(ctx, found.Transaction, n)
	entry.Action, entry.Outcome = actionReplayed, "done"
	switch {
	case err != nil:
		entry.Action, entry.Outcome, entry.Reason = actionReplayFailed, "failed", fault.From(err).Code
	case out.Again:
		entry.Outcome = "repeated"
	}
	if _, auditErr := s.Audit.Append(ctx, entry); auditErr != nil && err == nil {
		err = errAudit.Because(auditErr)
	}
	return out, err
}

func (s *Service) replayable(t Transaction, n int) error {
	switch {
	case n < 1 || n > len(t.Legs):
		return ErrNoLeg
	case t.Route != RouteDelivery || len(t.Certificates) != 1 || s.Replayer == nil:
		return errNotDelivery
	case !Failed(t.Legs[n-1]):
		return errNotFailed
	}
	return nil
}

// Failed says whether a call has to be counted as failed.
func Failed(l orchestration.Leg) bool {
	return l.Failure != "" || l.Status >= http.StatusBadRequest
}

// once claims the call, replays it, and keeps that it was done. A replay that failed gives
// its claim back.
func (s *Service) once(ctx context.Context, t Transaction, n int) (Replayed, error) {
	id, _ := parseID(t.ID)
	at := place(id) + "/" + strconv.Itoa(n)
	mine, done, err := s.claim(ctx, at, t.Started)
	if err != nil || done.Again {
		return done, err
	}
	if err := s.Replayer.Replay(ctx, t.Certificates[0]); err != nil {
		// A claim that stays ends with its lease.
		_ = s.Store.Delete(ctx, replays, at, mine.Version)
		return Replayed{}, err
	}
	now := s.now()
	if mine.Body, err = json.Marshal(claim{At: now, Done: true}); err != nil {
		return Replayed{}, err
	}
	if _, err := s.Store.Update(ctx, replays, mine); err != nil && !errors.Is(err, docstore.ErrVersion) {
		return Replayed{}, errStore.Because(err)
	}
	return Replayed{At: now}, nil
}

// claim is one conditional write: an insert, or the follower of a claim whose lease ended.
func (s *Service) claim(ctx context.Context, at string, started time.Time) (docstore.Document, Replayed, error) {
	now := s.now()
	body, err := json.Marshal(claim{At: now})
	if err != nil {
		return docstore.Document{}, Replayed{}, err
	}
	mine := docstore.Document{ID: at, Body: body, Expires: started.Add(claimRetention)}
	stored, err := s.Store.Get(ctx, replays, at)
	if err == nil {
		var c claim
		if err := json.Unmarshal(stored.Body, &c); err != nil {
			return mine, Replayed{}, errRow
		}
		if c.Done {
			return mine, Replayed{At: c.At, Again: true}, nil
		}
		if now.Sub(c.At) < replayLease {
			return mine, Replayed{}, errRunning
		}
		mine.Version = stored.Version
	} else if !errors.Is(err, docstore.ErrNotFound) {
		return mine, Replayed{}, errStore.Because(err)
	}
	stored, won, err := docstore.Follow(ctx, s.Store, replays, mine)
	switch {
	case err != nil:
		return mine, Replayed{}, errStore.Because(err)
	case !won:
		return mine, Replayed{}, errRunning
	}
	return stored, Replayed{}, nil
}

// claimRetention is longer than any record is kept.
const claimRetention = 2 * MaxRetention

func (s *Service) now() time.Time { return s.Clock().UTC().Truncate(time.Second) }
