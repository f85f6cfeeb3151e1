package transaction_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/internal/platform/orchestration"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

func TestARecordComesBackAsItWas(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	want := issue(1)
	want.Peer, want.Via, want.OpenHIM, want.Correlation = "urn:x", transaction.ViaOpenHIM, "507f1f77bcf86cd799439011", "c-1"
	want.Gone, want.Certificates, want.Omitted, want.Replayed, want.Failed = true, []string{uuid.NewString()}, 2, true, 3
	want.LegsOmitted = 4
	for i := range 3 {
		want.Legs = append(want.Legs, orchestration.Leg{
			Name: "store", Group: "fhir", Method: "PUT", Host: "fhir.example", Path: "/Bundle/{id}", Started: noon.Add(time.Duration(i) * time.Second),
			Took: time.Millisecond, Status: 201, Request: orchestration.Body{Size: 5, Digest: "aa"}, Failure: strings.Repeat("timeout", i%2),
		})
	}
	d.record(want)
	d.written(1)
	listed := d.all(transaction.Filter{}, 10)
	if len(listed) != 1 || listed[0].Legs != nil {
		t.Fatalf("%+v, want one, without calls", listed)
	}
	got, err := d.service.Get(t.Context(), listed[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	want.ID = listed[0].ID
	if fmt.Sprintf("%+v", got.Transaction) != fmt.Sprintf("%+v", want) {
		t.Errorf("got\n%+v\nwant\n%+v", got.Transaction, want)
	}
	id, err := uuid.Parse(got.ID)
	if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		t.Errorf("the id is no UUID version 7: %v, %v", id.Version(), err)
	}
	for _, other := range []string{"", "x", uuid.NewString(), strings.ToUpper(got.ID), "urn:uuid:" + got.ID, uuid.Must(uuid.NewV7()).String()} {
		if _, err := d.service.Get(t.Context(), other); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another id: %v, want not found", err)
		}
	}
}

// TestSearchFindsWhatMatches compares every search with a plain walk over everything.
func TestSearchFindsWhatMatches(t *testing.T) {
	t.Parallel()
	clients, routes := []string{"", "a", "b"}, []string{"/ddcc/x", "/ddcc/y", transaction.RouteDelivery}
	outcomes, certificates := []string{transaction.OutcomeDone, "rate-limit", "signer-unavailable"}, []string{uuid.NewString(), uuid.NewString(), uuid.NewString()}
	statuses, correlations := []int{0, 200, 201, 422, 503}, []string{"", "c1", "c2"}
	him := []string{"", "507f1f77bcf86cd799439011", "507f1f77bcf86cd799439012"}
	d := newArgs(t).open(t)
	var made []transaction.Transaction
	gen := rapid.Custom(func(t *rapid.T) transaction.Transaction {
		one := issue(rapid.IntRange(0, 2000).Draw(t, "at"))
		one.Started = one.Started.Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "micros")) * time.Microsecond)
		one.Client, one.Route = rapid.SampledFrom(clients).Draw(t, "client"), rapid.SampledFrom(routes).Draw(t, "route")
		one.Outcome, one.Status = rapid.SampledFrom(outcomes).Draw(t, "outcome"), rapid.SampledFrom(statuses).Draw(t, "status")
		one.Correlation, one.OpenHIM = rapid.SampledFrom(correlations).Draw(t, "correlation"), rapid.SampledFrom(him).Draw(t, "openhim")
		one.Certificates = rapid.SliceOfN(rapid.SampledFrom(certificates), 0, 3).Draw(t, "certificates")
		return one
	})
	for i := range 180 { // fewer than the strangers that are recorded at once
		one := gen.Example(i)
		made = append(made, one)
		d.record(one)
	}
	d.written(180)
	if c := d.recorder.Counts(); c.Kept != 180 {
		t.Fatalf("%+v", c)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := transaction.Filter{
			Client: rapid.SampledFrom(clients).Draw(t, "client"), Route: rapid.SampledFrom(append(routes, "")).Draw(t, "route"),
			Outcome: rapid.SampledFrom(append(outcomes, "", "nothing")).Draw(t, "outcome"), Correlation: rapid.SampledFrom(correlations).Draw(t, "correlation"),
			OpenHIM: rapid.SampledFrom(him).Draw(t, "openhim"), Certificate: rapid.SampledFrom(append(certificates, "")).Draw(t, "certificate"),
		}
		switch rapid.IntRange(0, 3).Draw(t, "status") {
		case 1:
			f.StatusFrom, f.StatusTo = 400, 499
		case 2:
			f.StatusFrom, f.StatusTo = 200, 200
		}
		if rapid.Bool().Draw(t, "since") {
			f.Since = noon.Add(time.Duration(rapid.IntRange(0, 2_000_000).Draw(t, "from")) * time.Microsecond)
		}
		if rapid.Bool().Draw(t, "until") {
			f.Until = noon.Add(time.Duration(rapid.IntRange(0, 2_000_000).Draw(t, "to")) * time.Microsecond)
		}
		got := d.all(f, rapid.IntRange(1, 40).Draw(t, "count"))
		want := 0
		for _, one := range made {
			if chosen(f, one) {
				want++
			}
		}
		seen := map[string]bool{}
		for i, one := range got {
			if !chosen(f, one) || seen[one.ID] {
				t.Fatalf("does not match, or is there twice: %+v", one)
			}
			if seen[one.ID] = true; i > 0 && got[i-1].Started.Add(time.Microsecond).Before(one.Started) {
				t.Fatalf("not the newest first: %s, %s", got[i-1].Started, one.Started)
			}
		}
		if len(got) != want {
			t.Fatalf("%d transactions, want %d for %+v", len(got), want, f)
		}
	})
}

// chosen is the filter in plain words.
func chosen(f transaction.Filter, t transaction.Transaction) bool {
	return (f.Client == "" || f.Client == t.Client) && (f.Route == "" || f.Route == t.Route) && (f.Outcome == "" || f.Outcome == t.Outcome) &&
		(f.Correlation == "" || f.Correlation == t.Correlation) && (f.OpenHIM == "" || f.OpenHIM == t.OpenHIM) &&
		(f.Certificate == "" || slices.Contains(t.Certificates, f.Certificate)) &&
		(f.StatusTo == 0 || t.Status >= f.StatusFrom && t.Status <= f.StatusTo) &&
		(f.Since.IsZero() || !t.Started.Before(f.Since)) && (f.Until.IsZero() || t.Started.Before(f.Until))
}

// TestPagesStandStillWhileRecordsCome: what was there when the walk began comes exactly
// once, in order, whatever is recorded meanwhile.
func TestPagesStandStillWhileRecordsCome(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	const old = 300
	for i := range old {
		d.record(issue(i))
	}
	d.written(old)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
					d.record(issue(10_000 + 4*i + worker))
				}
			}
		})
	}
	for _, count := range []int{1, 7, 100} {
		var walked []time.Time
		for _, one := range d.all(transaction.Filter{Client: "demo-clinic"}, count) {
			if one.Started.Before(noon.Add(old * time.Millisecond)) {
				walked = append(walked, one.Started)
			}
		}
		if len(walked) != old || !slices.IsSortedFunc(walked, func(a, b time.Time) int { return b.Compare(a) }) {
			t.Errorf("pages of %d: %d of the old transactions, want each of %d once, newest first", count, len(walked), old)
		}
		if len(slices.Compact(walked)) != old {
			t.Errorf("pages of %d: a transaction came twice", count)
		}
	}
	close(stop)
	wg.Wait()
}

// TestBatchesAreFoundByEachCertificate, also where a document has no room for their keys.
func TestBatchesAreFoundByEachCertificate(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	batch := issue(1)
	for range 500 {
		batch.Certificates = append(batch.Certificates, uuid.NewString())
	}
	d.record(batch, issue(2))
	d.written(2)
	for n, certificate := range batch.Certificates {
		found := d.all(transaction.Filter{Certificate: certificate, Client: "demo-clinic"}, 1)
		if len(found) != 1 || len(found[0].Certificates) != 500 {
			t.Fatalf("certificate %d: %d transactions", n, len(found))
		}
	}
	if n := len(d.all(transaction.Filter{}, 50)); n != 2 {
		t.Errorf("%d transactions on the whole, want 2: documents that carry keys are none", n)
	}
}

// TestCallsOfLargeBatches stand apart, and are there when one transaction is asked for.
func TestCallsOfLargeBatches(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	for n, legs := range []int{1, 15, 16, 30, orchestration.MaxLegs} {
		batch := issue(n)
		for i := range legs {
			batch.Legs = append(batch.Legs, leg(fmt.Sprint(i)))
		}
		d.record(batch)
		d.written(uint64(n) + 1)
		id := d.all(transaction.Filter{}, 1)[0].ID
		found, err := d.service.Get(t.Context(), id)
		if err != nil || len(found.Legs) != legs || found.Legs[legs-1].Name != fmt.Sprint(legs-1) {
			t.Errorf("%d calls: %d, %v", legs, len(found.Legs), err)
		}
		doc, err := d.store.Get(t.Context(), "transactions", complement(id))
		if err != nil || len(doc.Body) > 10<<10 {
			t.Errorf("%d calls make a record of %d bytes, %v", legs, len(doc.Body), err)
		}
	}
}

// TestKeysWithoutARecord: what a crash left of a record is not found.
func TestKeysWithoutARecord(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	batch := issue(1)
	for range 60 {
		batch.Certificates = append(batch.Certificates, uuid.NewString())
	}
	d.record(batch)
	d.written(1)
	id := d.all(transaction.Filter{}, 1)[0].ID
	if err := d.store.Delete(t.Context(), "transactions", complement(id), 1); err != nil {
		t.Fatal(err)
	}
	for _, certificate := range batch.Certificates {
		if n := len(d.all(transaction.Filter{Certificate: certificate}, 5)); n != 0 {
			t.Errorf("%d transactions", n)
		}
	}
}

// TestAPageLooksAtSoMany records and no more; the walk goes on from there.
func TestAPageLooksAtSoMany(t *testing.T) {
	t.Parallel()
	a := newArgs(t)
	a.hold = time.Minute // on a machine that does much else
	d := a.open(t)
	rare := issue(0)
	rare.Status = 201
	d.record(rare)
	for n := range 5100 {
		d.record(issue(n + 1))
	}
	d.written(5101)
	f := transaction.Filter{StatusFrom: 201, StatusTo: 201}
	first, err := d.service.Search(t.Context(), f, "", 10)
	if err != nil || len(first.Transactions) != 0 || first.Next == "" {
		t.Fatalf("%+v, %v; want an empty page that is not the last", first, err)
	}
	second, err := d.service.Search(t.Context(), f, first.Next, 10)
	if err != nil || len(second.Transactions) != 1 || second.Next != "" {
		t.Errorf("%+v, %v", second, err)
	}
}

// TestParentIsWhatWasBefore: replay, delivery and revocation point at the request that came
// before them about the same certificate.
func TestParentIsWhatWasBefore(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	certificate := uuid.NewString()
	for n, again := range []bool{false, true} {
		one := issue(n)
		one.Certificates, one.Replayed = []string{certificate}, again
		d.record(one)
	}
	d.recorder.RecordDelivery(transaction.Delivery{Started: noon.Add(time.Second), Client: "demo-clinic", Certificate: certificate, Outcome: "upstream"})
	d.written(3)
	chain := d.all(transaction.Filter{Certificate: certificate}, 10)
	if len(chain) != 3 || chain[0].Route != transaction.RouteDelivery || chain[0].Via != transaction.ViaGateway || chain[0].Outcome != "upstream" {
		t.Fatalf("%+v", chain)
	}
	for n, want := range []string{chain[1].ID, chain[2].ID, ""} {
		found, err := d.service.Get(t.Context(), chain[n].ID)
		if err != nil || found.Parent != want {
			t.Errorf("%d: parent %q, want %q (%v)", n, found.Parent, want, err)
		}
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	for i := range 100 {
		one := issue(i)
		one.Took = time.Duration(i+1) * time.Millisecond
		d.record(one)
	}
	late, failed := issue(10_000), issue(50)
	failed.Outcome, failed.Status = "rate-limit", 429
	d.record(late, failed)
	d.written(102)
	got, err := d.service.Statistics(t.Context(), transaction.Filter{Since: noon, Until: noon.Add(time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	want := []transaction.Group{
		{Route: "/ddcc/submitHealthEvent", Outcome: "done", Count: 100, P50: 50 * time.Millisecond, P95: 95 * time.Millisecond, P99: 99 * time.Millisecond, Max: 100 * time.Millisecond},
		{Route: "/ddcc/submitHealthEvent", Outcome: "rate-limit", Count: 1, P50: 3 * time.Millisecond, P95: 3 * time.Millisecond, P99: 3 * time.Millisecond, Max: 3 * time.Millisecond},
	}
	if !slices.Equal(got.Groups, want) || got.Counted != 101 || !got.Complete || !got.From.Equal(noon) {
		t.Errorf("%+v", got)
	}
}

func TestCursorsAreOurs(t *testing.T) {
	t.Parallel()
	d := newArgs(t).open(t)
	for _, cursor := range []string{"x", "!", "AAAA", strings.Repeat("A", 60), strings.Repeat("A", 5000)} {
		if _, err := d.service.Search(t.Context(), transaction.Filter{}, cursor, 1); fault.KindOf(err) != fault.Malformed {
			t.Errorf("%v, want malformed", err)
		}
	}
}

// FuzzCursor: a cursor is foreign text; it moves the place or is refused, and no more.
func FuzzCursor(f *testing.F) {
	d := newArgs(f).open(f)
	d.record(issue(1), issue(2), issue(3))
	d.written(3)
	page, err := d.service.Search(context.Background(), transaction.Filter{}, "", 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(page.Next)
	f.Add("")
	f.Add("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDArMQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := d.service.Search(context.Background(), transaction.Filter{}, cursor, 5)
		if err != nil && fault.KindOf(err) != fault.Malformed {
			t.Error(err)
		}
		if len(page.Transactions) > 3 {
			t.Error("more than there is")
		}
	})
}
