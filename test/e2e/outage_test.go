package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestSignerAway: without the signer the gateway says so, loses nothing, and goes on by
// itself when the signer is back.
func TestSignerAway(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	const generate = "/ddcc/generateHealthCertificate"
	before := mustIssue(t, s, generate, harness.VS(t, "AWAY-0"))
	list := len(s.TrustList().Entries())
	harness.Kill(s.Signer)
	body := harness.VS(t, "AWAY-1")
	a, err := s.Post(generate, body)
	if err != nil || a.Status != http.StatusServiceUnavailable {
		t.Fatalf("status %d, %v", a.Status, err)
	}
	if after, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || after < 1 {
		t.Errorf("Retry-After %q", a.Header.Get("Retry-After"))
	}
	if _, ok := harness.OutcomeRules(a.Body); !ok {
		t.Errorf("no OperationOutcome: %s", a.Body)
	}
	if again := mustIssue(t, s, generate, harness.VS(t, "AWAY-0")); again != before {
		t.Error("an issued certificate cannot be had again while the signer is away")
	}
	if got := len(s.TrustList().Entries()); got != list {
		t.Errorf("%d keys published while the signer is away, want %d", got, list)
	}
	waitReady(t, s, http.StatusServiceUnavailable)
	s.StartSigner()
	waitReady(t, s, http.StatusOK)
	mustIssue(t, s, generate, body)
	s.Stop()
	checkBooks(t, s)
}

// waitReady waits until the gateway's readiness says status.
func waitReady(t *testing.T, s *harness.System, status int) {
	t.Helper()
	var last harness.Answer
	for range 100 {
		var err error
		if last, err = s.Admin("gateway", "/readyz"); err == nil && last.Status == status {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("readiness stays at %d %s, want %d", last.Status, last.Body, status)
}

// TestKillUnderLoad kills gateway and signer in the middle of traffic, several times.
// Every certificate that was answered stays what it was, and the books agree.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	const generate = "/ddcc/generateHealthCertificate"
	answered := map[int]string{}
	for round := range 4 {
		type result struct {
			n    int
			text string
		}
		results := make(chan result, 40)
		for i := range cap(results) {
			n := round*cap(results) + i
			go func() {
				a, err := s.Post(generate, harness.VS(t, "LOAD-"+strconv.Itoa(n)))
				r := result{n: n}
				if err == nil && a.Status == http.StatusCreated {
					r.text = harness.ReadCertificate(t, a.Body).Text
				}
				results <- r
			}()
		}
		first := <-results
		answered[first.n] = first.text
		if round%2 == 0 {
			harness.Kill(s.Gateway)
		} else {
			harness.Kill(s.Signer)
		}
		for range cap(results) - 1 {
			r := <-results
			answered[r.n] = r.text
		}
		if round%2 == 0 {
			s.StartGateway()
		} else {
			s.StartSigner()
		}
	}
	for n, text := range answered {
		again := mustIssue(t, s, generate, harness.VS(t, "LOAD-"+strconv.Itoa(n)))
		if text != "" && again != text {
			t.Errorf("request %d was answered with a certificate that is not the issued one", n)
		}
	}
	if strings.Contains(s.Logs(), "panic") {
		t.Error("a process panicked")
	}
	s.Stop()
	checkBooks(t, s)
}
