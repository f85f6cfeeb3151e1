package issuance

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// bell is an Outbox that counts.
type bell struct {
	mu     sync.Mutex
	target string
	rung   []string
}

func (b *bell) Target() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.target
}

func (b *bell) Due(folderID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rung = append(b.rung, folderID)
}

func (b *bell) aim(target string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.target = target
}

func (b *bell) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.rung)
}

func deliveringBench(t testing.TB) (*testBench, *bell) {
	t.Helper()
	b, outbox := newBench(t), &bell{target: "national"}
	b.outbox = outbox
	b.Service = b.service(t)
	return b, outbox
}

func (b *testBench) open(t testing.TB) []Delivery {
	t.Helper()
	all, _, err := b.Deliveries().Open(context.Background(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestIssueLeavesADelivery(t *testing.T) {
	t.Parallel()
	b, outbox := deliveringBench(t)
	out := b.issue(t, request())
	b.issue(t, request()) // the same again: nothing more to deliver
	open := b.open(t)
	if len(open) != 1 || outbox.count() != 1 || outbox.rung[0] != out.FolderID {
		t.Fatalf("%d deliveries, rung for %q", len(open), outbox.rung)
	}
	d := open[0]
	if d.ID != out.ID || d.FolderID != out.FolderID || d.Kind != DeliverRegistration || d.State != DeliveryOpen || d.To != "national" ||
		!d.Since.Equal(b.now) || !d.IssuedAt.Equal(out.IssuedAt) {
		t.Errorf("%+v", d)
	}
	content, err := b.Deliveries().Content(context.Background(), d.ID)
	if err != nil || string(content.Document) != string(out.Document) {
		t.Errorf("content: %v", err)
	}
}

func TestNothingIsDeliveredUnlessConfigured(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.issue(t, request())
	outbox := &bell{}
	b.outbox = outbox
	b.Service = b.service(t)
	b.issue(t, request(other("HCID-2")))
	outbox.aim("national")
	// What was issued for no server is on none: there is nothing to withdraw.
	if err := b.Revoke(context.Background(), clinic, before.ID, ReasonError); err != nil {
		t.Fatal(err)
	}
	if open := b.open(t); len(open) != 0 || outbox.count() != 0 {
		t.Errorf("%d deliveries, rung %d times", len(open), outbox.count())
	}
}

// other makes the event another person's.
func other(hcid string) func(*fhir.CoreDataSet) {
	return func(c *fhir.CoreDataSet) { c.Certificate.HCID, c.Name = hcid, "Specimen of "+hcid }
}

// TestDeliverySurvivesEveryStep breaks each write around the end of an issue: the delivery
// is there exactly when the certificate is issued.
func TestDeliverySurvivesEveryStep(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"insert-after:certificates", "insert-after:documents", "update-before:certificates", "update-after:certificates"} {
		b, _ := deliveringBench(t)
		b.store.arm(step)
		if _, err := b.Issue(context.Background(), request()); err == nil {
			t.Fatal("no failure")
		}
		if open := b.open(t); len(open) != b.issuedCount(t) {
			t.Errorf("%s: %d deliveries of %d certificates", step, len(open), b.issuedCount(t))
		}
		b.pass(time.Hour)
		if _, err := b.Reconcile(context.Background()); err != nil {
			t.Fatal(err)
		}
		if open := b.open(t); len(open) != b.issuedCount(t) {
			t.Errorf("%s, reconciled: %d deliveries of %d certificates", step, len(open), b.issuedCount(t))
		}
	}
}

func TestRevocationIsDeliveredInPlaceOfTheRegistration(t *testing.T) {
	t.Parallel()
	for _, delivered := range []bool{false, true} {
		b, outbox := deliveringBench(t)
		out := b.issue(t, request())
		registration := b.open(t)[0]
		if delivered {
			if err := b.Deliveries().Done(context.Background(), registration); err != nil {
				t.Fatal(err)
			}
		}
		outbox.aim("another") // chosen since: what is withdrawn is where it was registered
		if err := b.Revoke(context.Background(), clinic, out.ID, ReasonError); err != nil {
			t.Fatal(err)
		}
		open := b.open(t)
		if len(open) != 1 || open[0].Kind != DeliverWithdrawal || open[0].To != "national" || outbox.count() != 2 {
			t.Fatalf("%+v, rung %d times", open, outbox.count())
		}
		// Who still works on the registration cannot end the withdrawal.
		if standing, err := b.Deliveries().Standing(context.Background(), registration); err != nil || standing {
			t.Errorf("the registration stands, %v", err)
		}
		if err := b.Deliveries().Done(context.Background(), registration); err != nil {
			t.Fatal(err)
		}
		if changed, err := b.Deliveries().Fail(context.Background(), registration, "x"); err != nil || changed {
			t.Errorf("the registration failed: %v, %v", changed, err)
		}
		if open := b.open(t); len(open) != 1 || open[0].Kind != DeliverWithdrawal {
			t.Errorf("the withdrawal is lost: %+v", open)
		}
	}
}

// TestDeliveriesDisturbNobody ends a delivery between the steps of a revocation: they share
// the row.
func TestDeliveriesDisturbNobody(t *testing.T) {
	t.Parallel()
	b, outbox := deliveringBench(t)
	ctx := context.Background()
	old := b.issue(t, request())
	next := request(func(c *fhir.CoreDataSet) { c.Vaccination.Lot = "LOT-2" })
	next.Supersedes = old.ID
	var racing sync.WaitGroup
	stop := make(chan struct{})
	racing.Go(func() {
		for {
			open, _, _ := b.Deliveries().Open(ctx, "", 10)
			for _, d := range open {
				_ = b.Deliveries().Done(ctx, d)
			}
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	for i := range 10 {
		next.IdempotencyKey = fmt.Sprint("succession-", i)
		out, err := b.Issue(ctx, next)
		if err != nil {
			t.Fatal(err)
		}
		next.Supersedes = out.ID
	}
	close(stop)
	racing.Wait()
	for _, index := range []string{successionIndex, unsettledIndex} {
		if page, _, err := b.registry.page(ctx, index, "", 100); err != nil || len(page) != 0 {
			t.Errorf("%s: %d rows are left to the reconciler, %v", index, len(page), err)
		}
	}
	if outbox.count() != 21 {
		t.Errorf("rung %d times", outbox.count())
	}
}

func TestFailedDeliveryIsReplayedOnce(t *testing.T) {
	t.Parallel()
	b, outbox := deliveringBench(t)
	ctx, queue := context.Background(), b.Deliveries()
	out := b.issue(t, request())
	if err := queue.Replay(ctx, out.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an open delivery was replayed: %v", err)
	}
	if err := queue.Replay(ctx, uuid.NewString()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an unknown one: %v", err)
	}
	if changed, err := queue.Fail(ctx, b.open(t)[0], "fhir-rule"); err != nil || !changed {
		t.Fatal(changed, err)
	}
	failed, _, err := queue.Undelivered(ctx, "", 10)
	if err != nil || len(failed) != 1 || failed[0].Failure != "fhir-rule" || failed[0].State != DeliveryFailed || len(b.open(t)) != 0 {
		t.Fatalf("%+v, %v", failed, err)
	}
	results := make([]error, 20)
	var racing sync.WaitGroup
	for i := range results {
		racing.Go(func() { results[i] = queue.Replay(ctx, out.ID) })
	}
	racing.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case fault.KindOf(err) != fault.Conflict:
			t.Error(err)
		}
	}
	if open := b.open(t); won != 1 || len(open) != 1 || open[0].Failure != "" || outbox.count() != 2 {
		t.Errorf("%d replays, %+v, rung %d times", won, open, outbox.count())
	}
}

func TestDeliveryIsMoved(t *testing.T) {
	t.Parallel()
	b, _ := deliveringBench(t)
	b.issue(t, request())
	was := b.open(t)[0]
	for range 2 { // the second finds it moved
		if err := b.Deliveries().Move(context.Background(), was, "another"); err != nil {
			t.Fatal(err)
		}
	}
	if open := b.open(t); len(open) != 1 || open[0].To != "another" {
		t.Errorf("%+v", open)
	}
}

func TestFolderIsListedInOrderOfIssue(t *testing.T) {
	t.Parallel()
	b, _ := deliveringBench(t)
	var want []string
	for i := range 5 {
		in := request()
		in.IdempotencyKey = fmt.Sprint("dose-", i)
		out := b.issue(t, in)
		want = append(want, out.ID)
		b.pass(time.Minute)
	}
	b.issue(t, request(other("HCID-2")))
	all, err := b.Deliveries().InFolder(context.Background(), b.registry.folderID("HCID-4711"))
	var got []string
	for _, d := range all {
		got = append(got, d.ID)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
