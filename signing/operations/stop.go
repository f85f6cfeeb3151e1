package operations

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
)

// Where the emergency stop is stored.
const (
	stopCollection = "emergency-stop"
	stopID         = "stop"

	attempts = 16 // of a change against others who change it
)

// stopState is the stop as stored, with the version of its document.
type stopState struct {
	signing.Stop
	ResumedBy string `json:"resumedBy,omitempty"` // id of the operation that ended the last stop
	version   int64
}

// Stopped reports whether nothing may be signed: a stop stands, or none could be looked
// for since so long that one may have been missed. It is for the signing path: one look at
// memory.
func (o *Operations) Stopped() bool {
	return o.unsaved.Load() != nil || o.stop.Load().Stopped || o.stale()
}

// stale reports whether the stop was read so long ago that nobody knows.
func (o *Operations) stale() bool {
	return o.deps.Clock().Sub(*o.seen.Load()) > o.staleAfter()
}

// staleAfter is the bound of the key register: a signer that reads neither signs nothing.
func (o *Operations) staleAfter() time.Duration { return max(time.Minute, 5*o.deps.Refresh) }

// StopState shows the stop to an operator. Errors: Forbidden, Unavailable, also when the
// stop could not be read for long, and nothing is signed for that reason.
func (o *Operations) StopState(ctx context.Context, operator string) (signing.Stop, error) {
	if err := o.read(ctx, operator, actionRead, ""); err != nil {
		return signing.Stop{}, err
	}
	if unsaved := o.unsaved.Load(); unsaved != nil {
		return *unsaved, nil
	}
	if o.stale() {
		return signing.Stop{}, errAway.Because(errStale)
	}
	return o.stop.Load().Stop, nil
}

// Stop ends all signing at once, here before anything else and in every other process
// when it reads the stop next. One operator is enough. A stop while one stands takes its
// place, so that a resume which was proposed before does not end it. When it returns
// without an error nothing more is released here. Errors: Forbidden, Rule
// for an unknown reason, Unavailable when the stop holds here but could not be stored or
// audited, or when signatures from before it have not ended.
func (o *Operations) Stop(ctx context.Context, operator, reason string) (signing.Stop, error) {
	ctx = context.WithoutCancel(ctx)
	if err := o.admitStop(operator, reason); err != nil {
		return signing.Stop{}, o.refused(ctx, operator, "", signing.OperationRequest{}, err)
	}
	return o.halt(ctx, operator, reason)
}

// process is who acts when no operator does.
const process = "signer"

// StopAtStart sets the stop for the process itself, before it signs anything: after a
// restore nobody knows yet which revocations are missing. Errors: Unavailable when it
// could not be stored or audited.
func (o *Operations) StopAtStart(ctx context.Context) error {
	now := o.now()
	o.unsaved.Store(&signing.Stop{Stopped: true, Since: &now, By: process, Reason: signing.StopMaintenance})
	entry := audit.Entry{Action: actionStop, Actor: process, Outcome: outcomeIntended, Reason: signing.StopMaintenance}
	if err := o.record(ctx, entry); err != nil {
		return err
	}
	if err := o.save(ctx); err != nil {
		return err
	}
	entry.Outcome = outcomeDone
	return o.record(ctx, entry)
}

// halt stops. Storing the stop for the others does not wait for the audit log, whose disk
// may hang.
func (o *Operations) halt(ctx context.Context, operator, reason string) (signing.Stop, error) {
	now := o.now()
	wanted := &signing.Stop{Stopped: true, Since: &now, By: operator, Reason: reason}
	o.unsaved.Store(wanted)
	entry := audit.Entry{Action: actionStop, Actor: operator, Outcome: outcomeIntended, Reason: reason}
	intended := o.recording(ctx, entry)
	saveErr := o.save(ctx)
	auditErr := intended()
	if saveErr != nil {
		return *wanted, errStopLocal.Because(errors.Join(saveErr, auditErr))
	}
	if err := o.quiet(ctx); err != nil {
		return o.stop.Load().Stop, errStopBusy.Because(err)
	}
	if auditErr == nil {
		entry.Outcome = outcomeDone
		auditErr = o.recording(ctx, entry)()
	}
	if auditErr != nil {
		return o.stop.Load().Stop, errStopUnseen.Because(auditErr)
	}
	return o.stop.Load().Stop, nil
}

// auditWait is how long a stop waits for its audit entry.
const auditWait = 5 * time.Second

// recording begins to append an entry and gives what waits for it, for a bounded time even
// if the audit log ignores the end of ctx. An entry that comes late is not lost.
func (o *Operations) recording(ctx context.Context, e audit.Entry) (wait func() error) {
	done := make(chan error, 1)
	go func() { done <- o.record(ctx, e) }()
	return func() error {
		timer := time.NewTimer(auditWait)
		defer timer.Stop()
		select {
		case err := <-done:
			return err
		case <-timer.C:
			return errAway.Because(errHangs)
		}
	}
}

// quiet waits for the signatures that began before the stop.
func (o *Operations) quiet(ctx context.Context) error {
	if o.deps.Quiet == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	return o.deps.Quiet(ctx)
}

func (o *Operations) admitStop(operator, reason string) error {
	if err := o.authorise(operator); err != nil {
		return err
	}
	if !slices.Contains(signing.StopReasons(), reason) {
		return refuse("/reason", "stop-reason", "No such reason of a stop.", "Use key-compromise, fraud, defect, maintenance or drill.")
	}
	return nil
}

// save stores the stop that is not stored yet, in place of one that stands: the version
// rises, and with it ends what was proposed for the one before.
func (o *Operations) save(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	unsaved := o.unsaved.Load()
	if unsaved == nil {
		return nil
	}
	for range attempts {
		stored, err := o.loadStop(ctx)
		if err != nil {
			return err
		}
		won, err := o.writeStop(ctx, stored.version, stopState{Stop: *unsaved})
		if err != nil {
			return err
		}
		if won {
			o.unsaved.CompareAndSwap(unsaved, nil)
			return nil
		}
	}
	return errAway
}

// Reload reads the stop now, and stores one that could not be stored before.
func (o *Operations) Reload(ctx context.Context) error {
	if o.unsaved.Load() != nil {
		return o.save(ctx)
	}
	_, err := o.loadStop(ctx)
	return err
}

// loadStop reads the stop and makes it the current one.
func (o *Operations) loadStop(ctx context.Context) (stopState, error) {
	asked := o.deps.Clock()
	doc, err := o.deps.Records.Get(ctx, stopCollection, stopID)
	if errors.Is(err, docstore.ErrNotFound) {
		o.sawStop(asked)
		return stopState{}, nil
	}
	if err != nil {
		return stopState{}, errAway.Because(err)
	}
	s := stopState{version: doc.Version}
	if err := json.Unmarshal(doc.Body, &s); err != nil {
		return stopState{}, fault.From(errors.New("key operations: the stored stop is not readable"))
	}
	o.installStop(s)
	o.sawStop(asked)
	return s, nil
}

// sawStop notes that the stop is known as of asked.
func (o *Operations) sawStop(asked time.Time) {
	for {
		old := o.seen.Load()
		if asked.Before(*old) || o.seen.CompareAndSwap(old, &asked) {
			return
		}
	}
}

// writeStop replaces the stop of that version; 0: there was none. won is false when
// somebody else did.
func (o *Operations) writeStop(ctx context.Context, version int64, s stopState) (won bool, err error) {
	body, err := json.Marshal(s)
	if err != nil {
		return false, fault.From(err)
	}
	doc, won, err := docstore.Follow(ctx, o.deps.Records, stopCollection, docstore.Document{ID: stopID, Version: version, Body: body})
	if err != nil {
		return false, errAway.Because(err)
	}
	if !won {
		return false, nil
	}
	s.version = doc.Version
	o.installStop(s)
	return true, nil
}

// installStop makes s current unless a later one is.
func (o *Operations) installStop(s stopState) {
	for {
		old := o.stop.Load()
		if old.version >= s.version || o.stop.CompareAndSwap(old, &s) {
			return
		}
	}
}

// stopToEnd gives the version of the stop that a resume is proposed for.
func (o *Operations) stopToEnd(ctx context.Context) (int64, error) {
	stored, err := o.loadStop(ctx)
	if err == nil && !stored.Stopped {
		err = refuse("/kind", "not-stopped", "No emergency stop stands.", "There is nothing to resume.")
	}
	return stored.version, err
}

// resume ends the stop an operation was proposed for, once.
func (o *Operations) resume(ctx context.Context, r row) error {
	stored, err := o.loadStop(ctx)
	switch {
	case err != nil:
		return err
	case stored.ResumedBy == r.ID:
		return nil
	case !stored.Stopped || stored.version != r.StopVersion:
		return refuse("/kind", "stop-changed", "The stop this operation was proposed for stands no more.", "Look at the stop, then propose to resume again.")
	}
	won, err := o.writeStop(ctx, stored.version, stopState{ResumedBy: r.ID})
	if err == nil && !won {
		err = errAway // the same call, repeated, finds out
	}
	return err
}
