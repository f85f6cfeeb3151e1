package e2e

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert/reader"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

const generate = "/ddcc/generateHealthCertificate"

// issued is what a client of a load got, and when.
type issued struct {
	hcid       string
	start, end time.Time
	status     int
	retry      string // Retry-After
	body       []byte
	text       string // of the certificate
	kid        string
}

// load is a crowd of clients that issue until they are told to stop.
type load struct {
	done atomic.Bool
	wg   sync.WaitGroup

	mu  sync.Mutex
	all []issued
}

// startLoad begins; every request is for another certificate and has its HCID as
// Idempotency-Key.
func startLoad(t *testing.T, s *harness.System, clients int) *load {
	t.Helper()
	l := &load{}
	for c := range clients {
		l.wg.Go(func() {
			for n := 0; !l.done.Load(); n++ {
				one := issueOne(t, s, "LOAD-"+strconv.Itoa(c)+"-"+strconv.Itoa(n))
				l.mu.Lock()
				l.all = append(l.all, one)
				l.mu.Unlock()
			}
		})
	}
	t.Cleanup(func() { l.stop() })
	return l
}

func issueOne(t *testing.T, s *harness.System, hcid string) issued {
	one := issued{hcid: hcid, start: time.Now()}
	a, err := s.Post(generate, harness.VS(t, hcid), "Idempotency-Key", hcid)
	one.end, one.status, one.retry, one.body = time.Now(), a.Status, a.Header.Get("Retry-After"), a.Body
	if err != nil {
		t.Errorf("%s: %v", hcid, err)
		return one
	}
	if a.Status == http.StatusCreated || a.Status == http.StatusOK {
		one.text, one.body = harness.ReadCertificate(t, a.Body).Text, nil
		m, err := reader.Decode(one.text)
		if err != nil {
			t.Errorf("%s: %v", hcid, err)
			return one
		}
		one.kid = string(m.KID)
	}
	return one
}

// stop ends the load and gives everything, in the order of answers.
func (l *load) stop() []issued {
	l.done.Store(true)
	l.wg.Wait()
	return l.all
}

// wait waits until so many answers that are wanted have come.
func (l *load) wait(t *testing.T, count int, wanted func(issued) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		l.mu.Lock()
		n := 0
		for _, one := range l.all {
			if wanted(one) {
				n++
			}
		}
		total := len(l.all)
		l.mu.Unlock()
		if n >= count {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d answers are as wanted", n, total)
		}
	}
}

// TestRotationUnderLoad changes the vaccination key in the middle of traffic: no issue
// fails, every certificate verifies, and nobody gets the old key once somebody has got
// the new one. Then the old key is revoked.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--trust-refresh=100ms")
	before := string(signingKID(t, s))
	l := startLoad(t, s, 16)
	l.wait(t, 40, func(one issued) bool { return one.kid == before })
	request := nextKey(t, s)
	after := string(kidOf(request.Registrations[0]))
	agree(t, s, request)
	l.wait(t, 40, func(one issued) bool { return one.kid == after })
	all := l.stop()

	changesOnce(t, all, before, after)
	waitTrust(t, s, func(list *trust.List) bool { return len(list.Lookup([]byte(after))) == 1 })
	verifyAll(t, s, all, func(issued) bool { return true })

	agree(t, s, signing.OperationRequest{Kind: signing.OperationRevoke, KID: []byte(before), Reason: "keyCompromise"})
	waitTrust(t, s, func(list *trust.List) bool { return len(list.Lookup([]byte(before))) == 0 })
	verifyAll(t, s, all, func(one issued) bool { return one.kid == after })
	if one := issueOne(t, s, "AFTER-REVOCATION"); one.kid != after {
		t.Errorf("status %d %s under key %x", one.status, one.body, one.kid)
	}
	s.Stop()
	checkBooks(t, s)
}

// changesOnce: a request that began when another had been answered with the new key gets
// the new key, too.
func changesOnce(t *testing.T, all []issued, before, after string) {
	t.Helper()
	var first time.Time // when a certificate of the new key was in somebody's hands
	for _, one := range all {
		switch {
		case one.text == "":
			t.Fatalf("%s failed: %d %s", one.hcid, one.status, one.body)
		case one.kid != before && one.kid != after:
			t.Fatalf("%s: signed by key %x", one.hcid, one.kid)
		case one.kid == after && (first.IsZero() || one.end.Before(first)):
			first = one.end
		}
	}
	for _, one := range all {
		if one.kid == before && one.start.After(first) {
			t.Errorf("%s: the old key signed again, %v after the new one had", one.hcid, one.start.Sub(first))
		}
	}
}

// waitTrust waits until the published list is as wanted.
func waitTrust(t *testing.T, s *harness.System, wanted func(*trust.List) bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !wanted(s.TrustList()); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the published trust list does not follow the register")
		}
	}
}

// verifyAll holds certificates against the list that is published now.
func verifyAll(t *testing.T, s *harness.System, all []issued, valid func(issued) bool) {
	t.Helper()
	verifier := verification.Verifier{List: s.TrustList()}
	wrong := slices.DeleteFunc(slices.Clone(all), func(one issued) bool { return verifier.VerifyText(one.text).Valid == valid(one) })
	if len(wrong) > 0 {
		t.Errorf("%d of %d certificates verify otherwise than they should, e.g. %s of key %x: %s",
			len(wrong), len(all), wrong[0].hcid, wrong[0].kid, verifier.VerifyText(wrong[0].text).Reason)
	}
}

// TestEmergencyStopUnderLoad: one operator stops all signing in the middle of traffic.
// From his answer on nothing is signed, everybody is told so, and after two operators
// have resumed every request that was refused gets its certificate.
func TestEmergencyStopUnderLoad(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--trust-refresh=100ms")
	l := startLoad(t, s, 8)
	l.wait(t, 40, func(one issued) bool { return one.text != "" })
	if stop, err := operator(t, s, 2).Stop(t.Context(), signing.StopFraud); err != nil || !stop.Stopped || stop.Reason != signing.StopFraud {
		t.Fatalf("%+v, %v", stop, err)
	}
	stopped := time.Now()
	l.wait(t, 30, func(one issued) bool { return one.start.After(stopped) })
	all := l.stop()
	refused := checkStopped(t, all, stopped)
	s.TrustList() // what keys are good must reach verifiers then above all
	if a := callSigner(t, s, "gateway", http.MethodGet, "/v1/trust", "", nil); a.Status != http.StatusOK {
		t.Errorf("the signer states no keys during a stop: %d", a.Status)
	}

	agree(t, s, signing.OperationRequest{Kind: signing.OperationResume})
	for _, one := range refused {
		if again := issueOne(t, s, one.hcid); again.text == "" {
			t.Errorf("%s is lost: %d %s", one.hcid, again.status, again.body)
		}
	}
	nothingSignedWhileStopped(t, auditLog(t, s))
	s.Stop()
	checkBooks(t, s)
}

// checkStopped looks at the answers of a load and gives those that were refused.
func checkStopped(t *testing.T, all []issued, stopped time.Time) (refused []issued) {
	t.Helper()
	for _, one := range all {
		if one.text != "" {
			if one.start.After(stopped) {
				t.Errorf("%s was issued although it was asked for after the stop", one.hcid)
			}
			continue
		}
		refused = append(refused, one)
		rules, ok := harness.OutcomeRules(one.body)
		if one.status != http.StatusServiceUnavailable || !ok || !slices.Contains(rules, "emergency-stop") ||
			!bytes.Contains(one.body, []byte("An operator has stopped all signing.")) {
			t.Fatalf("%s: %d %s", one.hcid, one.status, one.body)
		}
		if after, err := strconv.Atoi(one.retry); err != nil || after < 1 {
			t.Fatalf("%s: Retry-After %q", one.hcid, one.retry)
		}
	}
	if len(refused) == 0 {
		t.Fatal("nothing was refused")
	}
	return refused
}

// nothingSignedWhileStopped reads the audit log: between the stop and the approval to
// resume nobody's intent began or was signed.
func nothingSignedWhileStopped(t *testing.T, log []auditEntry) {
	t.Helper()
	begin := slices.IndexFunc(log, func(e auditEntry) bool { return e.Action == "operation.stop" && e.Outcome == "done" })
	end := slices.IndexFunc(log, func(e auditEntry) bool {
		return e.Action == "operation.approved" && e.Attributes["kind"] == signing.OperationResume
	})
	if begin < 0 || end < begin {
		t.Fatalf("the log shows a stop at %d and a resume at %d", begin, end)
	}
	late := map[string]int{}
	for _, e := range log[begin+1 : end] {
		switch e.Action {
		case "certificate.intent", "certificate.signed", "document.intent", "document.signed":
			late[e.Action]++
		}
	}
	if len(late) > 0 {
		t.Errorf("signed after the stop had been answered: %v", late)
	}
}
