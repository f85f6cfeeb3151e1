package outage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

const (
	issuers    = 32                     // clients that issue at the same time
	openAtOnce = 4                      // submissions of one client that wait for a certificate
	pause      = 100 * time.Millisecond // of a client that was refused; Retry-After is longer
)

// Submission is one health event, sent under one Idempotency-Key until it has its
// certificate.
type Submission struct {
	questionnaire, key string
	body               []byte
	attempts           int
	certificate        harness.Certificate
	document           []byte
}

// answer is one request that ended.
type answer struct {
	questionnaire string
	start, end    time.Time
	status        int
}

func issued(a answer) bool {
	return a.status == http.StatusCreated || a.status == http.StatusOK
}

func unavailable(a answer) bool { return a.status == http.StatusServiceUnavailable }

// Clients issue through the gateway until finish. Half of them certify vaccinations, the
// others test results.
type Clients struct {
	w    *System
	stop context.CancelCauseFunc // errFinish: bring to an end what is open
	wait sync.WaitGroup

	mu      sync.Mutex
	answers []answer
	done    []*Submission
	wrong   map[string]int // what no client may see, and how often it was seen
}

// number of the clients of this process, so that every HCID is used once.
var number atomic.Int64

func (w *System) clients() *Clients {
	w.t.Helper()
	ctx, stop := context.WithCancelCause(w.t.Context())
	c := &Clients{w: w, stop: stop, wrong: map[string]int{}}
	for range issuers {
		client, mine := w.Client("issuer"), number.Add(1)
		c.wait.Go(func() { c.work(ctx, client, mine) })
	}
	w.t.Cleanup(func() { stop(nil); c.wait.Wait() })
	return c
}

// work sends submissions in turn. One that was refused goes to the end of the queue; when
// the queue is full no new one joins, so that the oldest are repeated all through an outage.
func (c *Clients) work(ctx context.Context, client *http.Client, number int64) {
	var open []*Submission
	for n := 0; ctx.Err() == nil; n++ {
		if len(open) < openAtOnce {
			open = append(open, c.w.submission(fmt.Sprintf("%d-%d", number, n), number%2 == 0))
		}
		s := open[0]
		open = open[1:]
		if !c.send(client, s) {
			open = append(open, s)
			time.Sleep(pause)
		}
	}
	for _, s := range open {
		if errors.Is(context.Cause(ctx), errFinish) {
			c.settle(client, s)
		}
	}
}

// errFinish is why clients stop when the outage is over.
var errFinish = errors.New("the outage is over")

func (w *System) submission(name string, vaccination bool) *Submission {
	s := &Submission{questionnaire: harness.QuestionnaireTR, key: "outage-" + name}
	if vaccination {
		s.questionnaire, s.body = harness.QuestionnaireVS, harness.VS(w.t, "OUTAGE-"+name)
	} else {
		s.body = harness.TR(w.t, "OUTAGE-"+name)
	}
	return s
}

// Abandon sends submissions once each, by clients that hear 503 and are not seen again.
func (w *System) Abandon(n int) []*Submission {
	w.t.Helper()
	var all []*Submission
	for i := range n {
		s := w.submission(fmt.Sprintf("abandoned-%d", i), true)
		a, err := w.Post(generate, s.body, "Idempotency-Key", s.key)
		if err != nil || a.Status != http.StatusServiceUnavailable {
			w.t.Errorf("status %d, %v", a.Status, err)
		}
		s.attempts++
		all = append(all, s)
	}
	return all
}

const generate = "/ddcc/generateHealthCertificate"

// send makes one attempt and reports whether the submission has its certificate.
func (c *Clients) send(client *http.Client, s *Submission) bool {
	s.attempts++
	start := time.Now()
	got, err := c.post(client, s)
	a := answer{s.questionnaire, start, time.Now(), got.Status}
	var document harness.Certificate
	problem := ""
	switch {
	case err != nil:
		problem = err.Error()
	case issued(a):
		document = harness.ReadCertificate(c.w.t, got.Body)
	case unavailable(a):
		problem = unclear(got)
	default:
		problem = fmt.Sprintf("status %d: %s", got.Status, got.Body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = append(c.answers, a)
	if problem != "" {
		c.wrong[problem]++
	}
	if !issued(a) {
		return false
	}
	s.certificate, s.document = document, got.Body
	c.done = append(c.done, s)
	return true
}

func (c *Clients) post(client *http.Client, s *Submission) (harness.Answer, error) {
	req, err := http.NewRequestWithContext(context.WithoutCancel(c.w.t.Context()), http.MethodPost, c.w.URL+generate, bytes.NewReader(s.body))
	if err != nil {
		return harness.Answer{}, err
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	req.Header.Set("Idempotency-Key", s.key)
	return harness.Do(client, req)
}

// internals are words of our insides that no caller is told.
var internals = regexp.MustCompile(`(?i)vault|transit|token|hvs\.|127\.0\.0\.1|localhost|dsc-|dial|x509|sql|goroutine|\.go\b|deadline`)

// unclear says what is wrong with a refusal; empty: it is an OperationOutcome with a code
// and a Retry-After, and tells nothing about our insides.
func unclear(a harness.Answer) string {
	rules, ok := harness.OutcomeRules(a.Body)
	after, err := strconv.Atoi(a.Header.Get("Retry-After"))
	switch {
	case !ok || len(rules) != 1 || rules[0] == "":
		return fmt.Sprintf("no OperationOutcome with one code: %s", a.Body)
	case err != nil || after < 1:
		return fmt.Sprintf("Retry-After %q", a.Header.Get("Retry-After"))
	case internals.Match(a.Body):
		return fmt.Sprintf("internals: %s", a.Body)
	}
	return ""
}

// settle repeats a submission until it has its certificate.
func (c *Clients) settle(client *http.Client, s *Submission) {
	for deadline := time.Now().Add(30 * time.Second); !c.send(client, s); time.Sleep(pause) {
		if time.Now().After(deadline) {
			c.complain("a submission has no certificate 30 s after everything works")
			return
		}
	}
}

// Settle brings submissions to their end that somebody had given up.
func (c *Clients) Settle(abandoned []*Submission) {
	for _, s := range abandoned {
		c.settle(c.w.Issuer, s)
	}
}

func (c *Clients) complain(problem string) {
	c.mu.Lock()
	c.wrong[problem]++
	c.mu.Unlock()
}

// until waits for a request that began after since and that ok accepts.
func (c *Clients) until(what string, since time.Time, ok func(answer) bool) answer {
	c.w.t.Helper()
	seen := 0
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		c.mu.Lock()
		answers := c.answers
		c.mu.Unlock()
		for ; seen < len(answers); seen++ {
			if a := answers[seen]; a.end.After(since) && ok(a) {
				return a
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.w.t.Fatalf("no request %s within 30 s; clients complain: %v\n%s", what, c.wrong, c.w.tail())
	return answer{}
}

// finish lets every client bring its submissions to their end. Then those that had been
// refused are repeated: each must give the certificate it gave before.
func (c *Clients) finish() {
	c.w.t.Helper()
	c.stop(errFinish)
	c.wait.Wait()
	for _, s := range c.done {
		if s.attempts == 1 {
			continue
		}
		a, err := c.post(c.w.Issuer, s)
		if err != nil || a.Status != http.StatusOK && a.Status != http.StatusCreated {
			c.w.t.Errorf("repeated: status %d, %v", a.Status, err)
		} else if again := harness.ReadCertificate(c.w.t, a.Body); again.ID != s.certificate.ID || again.Text != s.certificate.Text {
			c.w.t.Error("one submission has two certificates")
		}
	}
}
