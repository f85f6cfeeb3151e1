package transaction_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

const operator = "urn:ddcc-gateway:operator:1"

// failedDelivery records a delivery whose second call failed, and gives its id.
func (d *desk) failedDelivery() (id, certificate string) {
	d.t.Helper()
	_, legs := orchestration.With(context.Background())
	legs.Add(orchestration.Leg{Name: "find folder", Group: "fhir", Status: 200, Started: noon})
	legs.Add(orchestration.Leg{Name: "store", Group: "fhir", Status: 422, Started: noon.Add(time.Second)})
	certificate = uuid.NewString()
	d.recorder.RecordDelivery(transaction.Delivery{Started: noon, Certificate: certificate, Outcome: "fhir-refused", Legs: legs})
	d.written(d.recorder.Counts().Kept + 1)
	return d.all(transaction.Filter{Certificate: certificate}, 1)[0].ID, certificate
}

// TestRacingReplaysReplayOnce, and later ones say that it was done.
func TestRacingReplaysReplayOnce(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	id, certificate := d.failedDelivery()
	var done, running atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			out, err := d.service.Replay(context.Background(), operator, id, 2)
			switch {
			case err == nil && !out.Again:
				done.Add(1)
			case err != nil && fault.KindOf(err) == fault.Conflict:
				running.Add(1)
			case err != nil:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 || !slices.Equal(d.replayer.calls, []string{certificate}) {
		t.Errorf("%d did it, the replayer was called for %q", done.Load(), d.replayer.calls)
	}
	out, err := d.service.Replay(t.Context(), operator, id, 2)
	if err != nil || !out.Again || !out.At.Equal(noon) || len(d.replayer.calls) != 1 {
		t.Errorf("%+v, %v", out, err)
	}
	t.Logf("%d were told that it is being done", running.Load())
}

// TestAReplayThatFailsCanBeTriedAgain at once.
func TestAReplayThatFailsCanBeTriedAgain(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.replayer.work = func() error { return fault.New(fault.Unavailable, "registry-unavailable", "Away.") }
	d := a.open(t)
	id, _ := d.failedDelivery()
	if _, err := d.service.Replay(t.Context(), operator, id, 2); fault.From(err).Code != "registry-unavailable" {
		t.Fatal(err)
	}
	a.replayer.work = nil
	if out, err := d.service.Replay(t.Context(), operator, id, 2); err != nil || out.Again {
		t.Errorf("%+v, %v", out, err)
	}
	want := []string{"transaction.replay.intent intended", "transaction.replay.failed failed", "transaction.replay.intent intended", "transaction.replayed done"}
	if got := d.trail.actions(); !slices.Equal(got, want) {
		t.Errorf("audit log: %q", got)
	}
}

// TestAClaimEndsWithItsLease: whoever claimed a replay and died does not keep it for ever.
func TestAClaimEndsWithItsLease(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	a.replayer.work = func() error {
		close(entered)
		<-leave
		return nil
	}
	d := a.open(t)
	id, _ := d.failedDelivery()
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := d.service.Replay(context.Background(), operator, id, 2); err != nil {
			t.Error(err)
		}
	})
	<-entered
	a.replayer.mu.Lock()
	a.replayer.work = nil
	a.replayer.mu.Unlock()
	if _, err := d.service.Replay(t.Context(), operator, id, 2); fault.KindOf(err) != fault.Conflict {
		t.Errorf("while it is being done: %v", err)
	}
	d.clock.add(2 * time.Minute)
	if out, err := d.service.Replay(t.Context(), operator, id, 2); err != nil || out.Again {
		t.Errorf("after the lease: %+v, %v", out, err)
	}
	close(leave)
	wg.Wait()
	if out, err := d.service.Replay(t.Context(), operator, id, 2); err != nil || !out.Again {
		t.Errorf("after both: %+v, %v", out, err)
	}
}

func TestWhatCannotBeReplayed(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	id, _ := d.failedDelivery()
	request := issue(1)
	request.Certificates = []string{uuid.NewString()}
	request.Legs = []orchestration.Leg{{Name: "sign", Failure: "timeout"}}
	d.record(request)
	d.written(2)
	signed := d.all(transaction.Filter{Client: "demo-clinic"}, 1)[0].ID
	for name, test := range map[string]struct {
		id   string
		leg  int
		want fault.Kind
	}{
		"no transaction": {uuid.Must(uuid.NewV7()).String(), 1, fault.NotFound}, "no call": {id, 3, fault.NotFound}, "call 0": {id, 0, fault.NotFound},
		"a call that worked": {id, 1, fault.Rule}, "a call of a request": {signed, 1, fault.Rule},
	} {
		if _, err := d.service.Replay(t.Context(), operator, test.id, test.leg); fault.KindOf(err) != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(d.trail.entries) != 0 || len(d.replayer.calls) != 0 {
		t.Error("something was done")
	}
	d.trail.broken = true
	if _, err := d.service.Replay(t.Context(), operator, id, 2); fault.KindOf(err) != fault.Unavailable || len(d.replayer.calls) != 0 {
		t.Errorf("without an audit log: %v, %d calls", err, len(d.replayer.calls))
	}
}
