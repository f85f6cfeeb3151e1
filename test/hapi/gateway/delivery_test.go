package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/fhir/client/clienttest"
	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/test/hapi"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const generate = "/ddcc/generateHealthCertificate"

// The events: people of whom some get two doses.
const (
	people  = 30
	twice   = 20 // of them get two doses
	clinics = 4
	events  = people + twice
)

// TestDelivery: certificates are issued while HAPI is killed and comes back, the network
// fails, and the gateway is killed twice. HAPI has each of them once, in order, and what it
// has verifies; what is revoked is taken back.
func TestDelivery(t *testing.T) {
	t.Parallel()
	own := hapi.New(t)
	l := newLandscape(t, nil)
	l.hapi = own
	l.startHAPI(t)
	began := time.Now()
	d := l.issue(t)
	d.reach(t, 10)
	own.Kill()
	d.reach(t, 18)
	d.kill(l)
	d.reach(t, 26)
	l.startHAPI(t)
	d.kill(l)
	for _, mode := range []clienttest.Mode{clienttest.DropAfter, clienttest.CutBody, clienttest.Status500, clienttest.DropBefore, clienttest.OutcomeOK, clienttest.Status500After} {
		l.peer.Fail(mode, 1)
	}
	close(d.rest)
	d.reach(t, 40)
	d.kill(l)
	d.wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	wait(t, "all documents", 2*time.Minute, func() bool { return l.total(t, "Bundle?type=document") == events })
	t.Logf("%d certificates issued and delivered in %v", events, time.Since(began).Round(time.Millisecond))
	if left := l.peer.Left(); left > 0 {
		t.Errorf("%d failures were not met", left)
	}
	l.onceAndInOrder(t, d)
	l.verifies(t, d)
	l.recorded(t, d)
	l.takenBack(t, d)
}

// day is what the clinics do.
type day struct {
	issued [people][]string // ids by dose
	count  atomic.Int64
	rest   chan struct{} // closed: the second half may be issued
	wait   sync.WaitGroup
	kills  []time.Time // of the gateway
}

// kill kills the gateway and starts it again.
func (d *day) kill(l *landscape) {
	harness.Kill(l.Gateway)
	d.kills = append(d.kills, time.Now())
	l.StartGateway()
}

// killedAfter reports whether the gateway was killed right after it began to issue a
// certificate: the record of the request may then be lost (docs/transactions.md).
func (d *day) killedAfter(t *testing.T, certificate string) bool {
	t.Helper()
	id, err := uuid.Parse(certificate)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Unix(id.Time().UnixTime())
	return slices.ContainsFunc(d.kills, func(kill time.Time) bool { return kill.After(began) && kill.Sub(began) < 2*time.Second })
}

func hcid(person int) string { return fmt.Sprintf("LANDSCAPE-%d", person) }

// issue has clinics issue everything, each person's doses one after the other. A clinic asks
// until it is answered.
func (l *landscape) issue(t *testing.T) *day {
	d := &day{rest: make(chan struct{})}
	turn := make(chan int, people)
	for person := range people {
		turn <- person
	}
	close(turn)
	for range clinics {
		d.wait.Go(func() {
			for person := range turn {
				doses := 1
				if person < twice {
					doses = 2
				}
				for dose := range doses {
					if d.count.Load() >= events*6/10 {
						<-d.rest
					}
					id := l.certify(t, harness.VS(t, hcid(person), harness.Items{"dose": {"valueInteger": dose + 1}}))
					if id == "" {
						return
					}
					d.issued[person] = append(d.issued[person], id)
					d.count.Add(1)
					time.Sleep(100 * time.Millisecond) // so that a few seconds pass, in which things are killed
				}
			}
		})
	}
	return d
}

// certify asks until there is a certificate, and once more.
func (l *landscape) certify(t *testing.T, body []byte) (id string) {
	var last string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		a, err := l.send(http.MethodPost, generate, body)
		if err != nil || a.Status >= 500 {
			last = fmt.Sprint(a.Status, err)
			continue
		}
		if a.Status != http.StatusCreated && a.Status != http.StatusOK {
			t.Errorf("%d %s", a.Status, a.Body)
			return ""
		}
		now := harness.ReadCertificate(t, a.Body).ID
		if id == now {
			return id // asked for again: the same
		}
		if id != "" {
			t.Error("one request has two certificates")
		}
		id = now
	}
	t.Errorf("never issued: %s", last)
	return ""
}

func (d *day) reach(t *testing.T, n int64) {
	t.Helper()
	wait(t, fmt.Sprintf("%d certificates", n), 2*time.Minute, func() bool { return d.count.Load() >= n || t.Failed() })
}

// registeredLater waits until a certificate is registered.
func (l *landscape) registeredLater(t *testing.T, certificate string) []string {
	t.Helper()
	wait(t, "the registration", time.Minute, func() bool {
		status, _ := l.ask(t, http.MethodGet, "List/"+registration.SubmissionSetID(certificate), nil)
		return status == http.StatusOK
	})
	return l.registered(t, certificate)
}

// registered are the DocumentReferences of a certificate.
func (l *landscape) registered(t *testing.T, certificate string) []string {
	t.Helper()
	ids, err := registration.Listed(l.read(t, "List/"+registration.SubmissionSetID(certificate), nil))
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		ids[i] = "DocumentReference/" + id
	}
	return ids
}

// onceAndInOrder: nothing is lost, nothing is there twice.
func (l *landscape) onceAndInOrder(t *testing.T, d *day) {
	t.Helper()
	references := 0
	for person, certificates := range d.issued {
		var want []string
		for _, id := range certificates {
			want = append(want, l.registered(t, id)...)
		}
		if got := l.folder(t, hcid(person)); !slices.Equal(got, want) || len(want) != 2*len(certificates) {
			t.Errorf("person %d: folder %q, registered %q", person, got, want)
		}
		references += len(want)
	}
	for search, want := range map[string]int{
		"Bundle": events, "DocumentReference": references, "List": events + people, "Provenance": events, "AuditEvent": events,
		"DocumentReference?status=current": references,
	} {
		if got := l.total(t, search); got != want {
			t.Errorf("%d %s, want %d", got, search, want)
		}
	}
}

// recorded: operators see the attempts that failed, with their calls, under the request that
// issued the certificate.
func (l *landscape) recorded(t *testing.T, d *day) {
	t.Helper()
	failed := l.transactions(t, "route=delivery")
	if len(failed) == 0 {
		t.Fatal("no failed delivery on record")
	}
	codes, orphans := map[string]int{}, 0
	for _, f := range failed {
		codes[f.Outcome]++
		var one transaction
		l.operator(t, "/transactions/"+f.ID, &one)
		if one.Client != "demo-clinic" || len(one.Certificates) != 1 || len(one.Calls) != 1 || one.Calls[0].Peer != "fhir" || len(one.Calls[0].Legs) == 0 {
			t.Errorf("%+v", one)
			continue
		}
		if one.Parent == "" {
			orphans++
			if !d.killedAfter(t, one.Certificates[0]) {
				t.Errorf("nobody knows who had it issued: %+v", one)
			}
		}
	}
	if orphans == len(failed) {
		t.Error("no delivery is under the request that issued its certificate")
	}
	t.Logf("failed deliveries on record: %v, %d of requests whose own record a kill took", codes, orphans)
}

// takenBack: the first dose of a person is revoked.
func (l *landscape) takenBack(t *testing.T, d *day) {
	t.Helper()
	gone, kept := d.issued[0][0], d.issued[0][1]
	references := l.registered(t, gone)
	l.revoke(t, gone)
	wait(t, "the revocation", time.Minute, func() bool {
		status, _ := l.ask(t, http.MethodGet, "Bundle/"+gone, nil)
		return status == http.StatusGone || status == http.StatusNotFound
	})
	for _, ref := range references {
		var d struct {
			Status  string
			Content []struct{ Attachment struct{ URL string } }
		}
		l.read(t, ref, &d)
		if d.Status != "entered-in-error" {
			t.Errorf("%s is %s", ref, d.Status)
		}
		for _, c := range d.Content {
			if status, _ := l.ask(t, http.MethodGet, strings.TrimPrefix(c.Attachment.URL, "/"), nil); status != http.StatusGone && status != http.StatusNotFound {
				t.Errorf("%s leads to what is there: %d", ref, status)
			}
		}
	}
	if got, want := l.folder(t, hcid(0)), l.registered(t, kept); !slices.Equal(got, want) {
		t.Errorf("folder %q, want %q", got, want)
	}
}

// revoke has a certificate revoked by its issuer.
func (l *landscape) revoke(t *testing.T, certificate string) {
	t.Helper()
	body := harness.JSON(t, map[string]any{"resourceType": "Parameters", "parameter": []any{
		map[string]any{"name": "id", "valueId": certificate}, map[string]any{"name": "reason", "valueCode": "entered-in-error"},
	}})
	if a, err := l.send(http.MethodPost, "/ddcc/Bundle/$revokeHealthCertificate", body); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%d %s %v", a.Status, a.Body, err)
	}
}
