package operations_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/operations"
)

var ctx = context.Background()

const (
	ada    = "urn:test:operator:ada"
	bo     = "urn:test:operator:bo"
	cy     = "urn:test:operator:cy"
	clinic = "urn:test:gateway"
)

// log is an audit log in memory that can fail.
type log struct {
	mu      sync.Mutex
	entries []audit.Entry
	fail    func(audit.Entry) bool
}

func (l *log) Append(_ context.Context, e audit.Entry) (audit.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil && l.fail(e) {
		return audit.Receipt{}, audit.ErrBroken
	}
	l.entries = append(l.entries, e)
	return audit.Receipt{Seq: uint64(len(l.entries))}, nil
}

func (l *log) failing(fail func(audit.Entry) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = fail
}

// lines are the entries in short, e.g. "operation.approved ada intended".
func (l *log) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range l.entries {
		actor := e.Actor[strings.LastIndex(e.Actor, ":")+1:]
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", e.Action, actor, e.Outcome, e.Reason)))
	}
	return out
}

func (l *log) count(line string) int {
	n := 0
	for _, got := range l.lines() {
		if got == line {
			n++
		}
	}
	return n
}

// applied counts what reaches the register, and lets it fail.
type applied struct {
	*keyring.Ring
	calls atomic.Int32
	fail  atomic.Pointer[error]
}

func (a *applied) Apply(ctx context.Context, id string, req signing.OperationRequest) error {
	a.calls.Add(1)
	if err := a.fail.Load(); err != nil {
		return *err
	}
	return a.Ring.Apply(ctx, id, req)
}

type system struct {
	*operations.Operations
	authority *keyringtest.Authority
	clock     *keyringtest.Clock
	records   *keyringtest.Faulty
	register  *applied
	log       *log
}

func start(t testing.TB) system {
	t.Helper()
	s := system{authority: keyringtest.NewAuthority(t), clock: keyringtest.NewClock(), log: &log{}}
	store := keyringtest.Records(t, s.clock)
	s.records = &keyringtest.Faulty{Store: store}
	s.register = &applied{Ring: s.authority.Ring(t, store, s.clock, 0)}
	s.Operations = s.another(t)
	return s
}

func (s system) deps() operations.Deps {
	return operations.Deps{
		Records: s.records, Register: s.register, Audit: s.log, Operator: oneOf(ada, bo, cy),
		Clock: s.clock.Now, Refresh: time.Second,
	}
}

// oneOf knows operators by a list.
func oneOf(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// another is a second process on the same store.
func (s system) another(t testing.TB) *operations.Operations {
	t.Helper()
	o, err := operations.Open(ctx, s.deps())
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (s system) request(t testing.TB) signing.OperationRequest {
	t.Helper()
	return signing.OperationRequest{Kind: signing.OperationRegister, Registrations: []signing.Registration{s.authority.Key(t, keystore.UsageVaccination)}}
}

func kid(reg signing.Registration) []byte {
	sum := sha256.Sum256(reg.Certificate)
	return sum[:8]
}

func (s system) propose(t testing.TB, operator string, req signing.OperationRequest) signing.Operation {
	t.Helper()
	op, err := s.Propose(ctx, operator, req)
	if err != nil {
		t.Fatalf("propose %s: %v", req.Kind, err)
	}
	return op
}

func (s system) keys(t testing.TB) int {
	t.Helper()
	all, err := s.register.Keys(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if err == nil || fault.From(err).Code != code {
		t.Errorf("%v; want %s", err, code)
	}
}

func TestTwoOperatorsChangeTheRegister(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	if op.State != signing.OperationPending || op.Proposer != ada || s.keys(t) != 0 {
		t.Fatalf("proposed: %+v, %d keys", op, s.keys(t))
	}
	got, err := s.Approve(ctx, bo, op.ID)
	if err != nil || got.State != signing.OperationDone || got.Approver != bo || s.keys(t) != 1 {
		t.Fatalf("approved: %+v, %v, %d keys", got, err, s.keys(t))
	}
	again, err := s.Approve(ctx, bo, op.ID) // the answer was lost
	if err != nil || again.State != signing.OperationDone || s.register.calls.Load() != 1 {
		t.Errorf("asked again: %+v, %v, %d calls", again, err, s.register.calls.Load())
	}
	want := []string{"operation.proposed ada intended", "operation.approved bo intended", "operation.executed bo done"}
	if lines := s.log.lines(); fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("audit log: %q, want %q", lines, want)
	}
	for _, e := range s.log.entries {
		if e.Subject != op.ID || len(e.Digest) != 64 || e.Digest != s.log.entries[0].Digest || e.Attributes["kind"] != "register" {
			t.Errorf("audit entry %+v", e)
		}
	}
}

func TestWhoMayNotIsRefusedAndAudited(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	for name, c := range map[string]struct {
		call       func() error
		code, line string
	}{
		"own proposal":    {func() error { _, err := s.Approve(ctx, ada, op.ID); return err }, "same-operator", "operation.refused ada refused same-operator"},
		"no operator":     {func() error { _, err := s.Approve(ctx, clinic, op.ID); return err }, "not-an-operator", "operation.refused gateway refused not-an-operator"},
		"nobody":          {func() error { _, err := s.Approve(ctx, "", op.ID); return err }, "not-an-operator", "operation.refused  refused not-an-operator"},
		"proposes":        {func() error { _, err := s.Propose(ctx, clinic, s.request(t)); return err }, "not-an-operator", ""},
		"withdraws":       {func() error { _, err := s.Withdraw(ctx, clinic, op.ID); return err }, "not-an-operator", ""},
		"stops":           {func() error { _, err := s.Stop(ctx, clinic, "fraud"); return err }, "not-an-operator", ""},
		"reads":           {func() error { _, err := s.Keys(ctx, clinic); return err }, "not-an-operator", ""},
		"lists":           {func() error { _, err := s.List(ctx, clinic, false, ""); return err }, "not-an-operator", ""},
		"gets":            {func() error { _, err := s.Get(ctx, clinic, op.ID); return err }, "not-an-operator", ""},
		"sees the stop":   {func() error { _, err := s.StopState(ctx, clinic); return err }, "not-an-operator", ""},
		"is admitted":     {func() error { return s.Admit(ctx, clinic) }, "not-an-operator", ""},
		"unknown":         {func() error { _, err := s.Approve(ctx, bo, uuid.NewString()); return err }, "unknown-operation", "operation.refused bo refused unknown-operation"},
		"not an id":       {func() error { _, err := s.Approve(ctx, bo, "../stop"); return err }, "unknown-operation", ""},
		"reason of stops": {func() error { _, err := s.Stop(ctx, bo, "because of Ada Specimen"); return err }, "operation-request", "operation.refused bo refused stop-reason"},
	} {
		before := len(s.log.lines())
		wantCode(t, c.call(), c.code)
		if c.line != "" && s.log.count(c.line) == 0 {
			t.Errorf("%s: no audit entry %q in %q", name, c.line, s.log.lines())
		}
		if len(s.log.lines()) == before {
			t.Errorf("%s: nothing audited", name)
		}
	}
	if s.register.calls.Load() != 0 || s.Stopped() {
		t.Error("a refused call had an effect")
	}
}

func TestProposalOfAFormerOperatorIsNotApproved(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	deps := s.deps()
	deps.Operator = oneOf(bo, cy)
	later, err := operations.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	_, err = later.Approve(ctx, bo, op.ID)
	wantCode(t, err, "proposer-not-an-operator")
	if s.keys(t) != 0 {
		t.Error("the register changed")
	}
}

func TestRequestsThatCannotBeProposed(t *testing.T) {
	t.Parallel()
	s := start(t)
	past := keyringtest.Start.Add(-time.Second)
	id := []byte("12345678")
	for name, c := range map[string]struct {
		req  signing.OperationRequest
		rule string
	}{
		"no kind":          {signing.OperationRequest{}, "kind"},
		"other kind":       {signing.OperationRequest{Kind: "delete"}, "kind"},
		"force on revoke":  {signing.OperationRequest{Kind: "revoke", KID: id, Reason: "superseded", Force: true}, "not-taken"},
		"time on revoke":   {signing.OperationRequest{Kind: "revoke", KID: id, Reason: "superseded", At: &past}, "not-taken"},
		"key on register":  {signing.OperationRequest{Kind: "register", KID: id}, "not-taken"},
		"keys on resume":   {signing.OperationRequest{Kind: "resume", Registrations: []signing.Registration{{}}}, "not-taken"},
		"list on activate": {signing.OperationRequest{Kind: "activate", KID: id, CRL: id}, "not-taken"},
		"reason on retire": {signing.OperationRequest{Kind: "retire", KID: id, Reason: "superseded"}, "not-taken"},
		"short key id":     {signing.OperationRequest{Kind: "activate", KID: id[:7]}, "key-id"},
		"in the past":      {signing.OperationRequest{Kind: "activate", KID: id, At: &past}, "in-the-past"},
		"unknown key":      {signing.OperationRequest{Kind: "activate", KID: id}, "unknown-key"},
		"not stopped":      {signing.OperationRequest{Kind: "resume"}, "not-stopped"},
		"register says no": {signing.OperationRequest{Kind: "crl", CRL: id}, "signature"},
	} {
		if _, err := s.Propose(ctx, ada, c.req); err == nil {
			t.Errorf("%s: proposed", name)
		} else if line := "operation.refused ada refused " + c.rule; s.log.count(line) == 0 {
			t.Errorf("%s: %v, audit log without %q", name, err, line)
		}
	}
	page, err := s.List(ctx, ada, true, "")
	if err != nil || len(page.Operations) != 0 {
		t.Errorf("%d operations of refused proposals, %v", len(page.Operations), err)
	}
}

func TestNoAuditNoOperation(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	always := func(audit.Entry) bool { return true }
	s.log.failing(always)
	_, err := s.Propose(ctx, ada, s.request(t))
	wantCode(t, err, "operations-unavailable")
	_, err = s.Approve(ctx, bo, op.ID)
	wantCode(t, err, "operations-unavailable")
	_, err = s.Withdraw(ctx, ada, op.ID)
	wantCode(t, err, "operations-unavailable")
	_, err = s.Keys(ctx, ada)
	wantCode(t, err, "operations-unavailable")
	_, err = s.Approve(ctx, ada, op.ID) // a refusal that cannot be audited
	wantCode(t, err, "operations-unavailable")
	s.log.failing(nil)
	if got, err := s.Get(ctx, ada, op.ID); err != nil || got.State != signing.OperationPending || s.register.calls.Load() != 0 {
		t.Errorf("%+v, %v, %d calls; want it pending and untouched", got, err, s.register.calls.Load())
	}
}

func TestResultThatCannotBeAuditedIsFinishedLater(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	s.log.failing(func(e audit.Entry) bool { return e.Action == "operation.executed" })
	_, err := s.Approve(ctx, bo, op.ID)
	wantCode(t, err, "operation-approved")
	s.log.failing(nil)
	if got, err := s.Approve(ctx, bo, op.ID); err != nil || got.State != signing.OperationExecuting {
		t.Errorf("asked again: %+v, %v", got, err)
	}
	s.clock.Advance(3 * time.Minute)
	if err := s.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(ctx, ada, op.ID)
	if err != nil || got.State != signing.OperationDone || s.keys(t) != 1 || s.log.count("operation.executed bo done") != 1 {
		t.Errorf("%+v, %v, %d keys, %q", got, err, s.keys(t), s.log.lines())
	}
}

func TestNobodyApprovesInTime(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	s.clock.Set(op.ExpiresAt)
	_, err := s.Approve(ctx, bo, op.ID)
	wantCode(t, err, "operation-expired")
	if err := s.Sweep(ctx); err != nil {
		t.Fatal(err)
	}
	page, err := s.List(ctx, ada, true, "")
	if err != nil || len(page.Operations) != 0 {
		t.Errorf("%d open operations, %v", len(page.Operations), err)
	}
	page, err = s.List(ctx, ada, false, "")
	if err != nil || len(page.Operations) != 1 || page.Operations[0].State != signing.OperationExpired {
		t.Errorf("%+v, %v; want it expired", page, err)
	}
	if s.log.count("operation.expired ada done") != 1 {
		t.Errorf("audit log: %q", s.log.lines())
	}
}

func TestApprovedButNoLongerPossible(t *testing.T) {
	t.Parallel()
	s := start(t)
	req := s.request(t)
	a, b := s.propose(t, ada, req), s.propose(t, ada, req)
	if got, err := s.Approve(ctx, bo, a.ID); err != nil || got.State != signing.OperationDone {
		t.Fatal(got, err)
	}
	got, err := s.Approve(ctx, cy, b.ID)
	if err != nil || got.State != signing.OperationFailed || got.Failure != "already-registered" {
		t.Errorf("%+v, %v; want failed by already-registered", got, err)
	}
	if s.log.count("operation.executed cy failed already-registered") != 1 {
		t.Errorf("audit log: %q", s.log.lines())
	}
	at := keyringtest.Start.Add(time.Hour)
	late := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationRetire, KID: kid(req.Registrations[0]), At: &at, Force: true})
	s.clock.Set(at.Add(time.Second))
	got, err = s.Approve(ctx, bo, late.ID)
	if err != nil || got.State != signing.OperationFailed || got.Failure != "in-the-past" {
		t.Errorf("%+v, %v; want failed by in-the-past", got, err)
	}
}

// TestOneApproverWins: N operators of two processes approve at once; one wins, and the
// register is changed once.
func TestOneApproverWins(t *testing.T) {
	t.Parallel()
	s := start(t)
	var operators []string
	for i := range 16 {
		operators = append(operators, fmt.Sprintf("urn:test:operator:%d", i))
	}
	deps := s.deps()
	deps.Operator = oneOf(append(operators, ada)...)
	var processes []*operations.Operations
	for range 2 {
		o, err := operations.Open(ctx, deps)
		if err != nil {
			t.Fatal(err)
		}
		processes = append(processes, o)
	}
	op, err := processes[0].Propose(ctx, ada, s.request(t))
	if err != nil {
		t.Fatal(err)
	}
	var won, lost atomic.Int32
	var racers sync.WaitGroup
	for i, operator := range operators {
		racers.Go(func() {
			switch _, err := processes[i%2].Approve(ctx, operator, op.ID); {
			case err == nil:
				won.Add(1)
			case fault.From(err).Code == "operation-decided":
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	racers.Wait()
	if won.Load() != 1 || lost.Load() != 15 || s.register.calls.Load() != 1 || s.keys(t) != 1 {
		t.Errorf("%d won, %d lost, %d calls, %d keys", won.Load(), lost.Load(), s.register.calls.Load(), s.keys(t))
	}
	refused := 0
	for _, line := range s.log.lines() {
		if strings.HasSuffix(line, "refused operation-decided") {
			refused++
		}
	}
	if refused != 15 {
		t.Errorf("%d refusals audited, want 15", refused)
	}
}

func TestWithdrawAndApproveRace(t *testing.T) {
	t.Parallel()
	s := start(t)
	for range 10 {
		op := s.propose(t, ada, s.request(t))
		before := s.keys(t)
		var racers sync.WaitGroup
		var withdrawn, approved error
		racers.Go(func() { _, withdrawn = s.Withdraw(ctx, ada, op.ID) })
		racers.Go(func() { _, approved = s.Approve(ctx, bo, op.ID) })
		racers.Wait()
		if (withdrawn == nil) == (approved == nil) || s.keys(t)-before != map[bool]int{true: 1}[approved == nil] {
			t.Fatalf("withdraw: %v, approve: %v, %d new keys", withdrawn, approved, s.keys(t)-before)
		}
	}
}

// TestProcessDiesAfterTheClaim: whoever sweeps after the lease finishes the operation,
// once, before and after the register was changed.
func TestProcessDiesAfterTheClaim(t *testing.T) {
	t.Parallel()
	for name, die := range map[string]func(s system){
		"before execution": func(s system) { s.register.fail.Store(ptr(errors.New("killed"))) },
		"after execution": func(s system) {
			s.log.failing(func(e audit.Entry) bool { return e.Action == "operation.executed" })
		},
	} {
		s := start(t)
		op := s.propose(t, ada, s.request(t))
		die(s)
		_, err := s.Approve(ctx, bo, op.ID)
		wantCode(t, err, "operation-approved")
		s.register.fail.Store(nil)
		s.log.failing(nil)
		others := []*operations.Operations{s.another(t), s.another(t)}
		for _, o := range others { // the lease still holds
			if err := o.Sweep(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := s.Get(ctx, ada, op.ID); got.State != signing.OperationExecuting {
			t.Errorf("%s: taken over while the lease holds: %s", name, got.State)
		}
		s.clock.Advance(2 * time.Minute)
		var racers sync.WaitGroup
		for _, o := range append(others, s.Operations) {
			racers.Go(func() {
				if err := o.Sweep(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		racers.Wait()
		got, err := s.Get(ctx, ada, op.ID)
		if err != nil || got.State != signing.OperationDone || got.Approver != bo || s.keys(t) != 1 || s.log.count("operation.executed bo done") != 1 {
			t.Errorf("%s: %+v, %v, %d keys, %q", name, got, err, s.keys(t), s.log.lines())
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestEveryStoreCallMayFail fails each call of the document store while an operation is
// approved, before it is done and after. Whatever happened, the same approver asking again
// and the sweep bring it to its end, and the register is changed once.
func TestEveryStoreCallMayFail(t *testing.T) {
	t.Parallel()
	for _, how := range []keyringtest.Failure{keyringtest.Before, keyringtest.After} {
		for call := 1; call <= 3; call++ {
			s := start(t)
			op := s.propose(t, ada, s.request(t))
			s.records.Fail(func(n int, _ bool) keyringtest.Failure {
				if n == call {
					return how
				}
				return keyringtest.Fine
			})
			if _, err := s.Approve(ctx, bo, op.ID); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("call %d: %v; want unavailable", call, err)
			}
			s.records.Fail(nil)
			if _, err := s.Approve(ctx, bo, op.ID); err != nil {
				t.Errorf("call %d, asked again: %v", call, err)
			}
			s.clock.Advance(5 * time.Minute)
			if err := s.Sweep(ctx); err != nil {
				t.Error(err)
			}
			got, err := s.Get(ctx, ada, op.ID)
			if err != nil || got.State != signing.OperationDone || s.keys(t) != 1 {
				t.Errorf("call %d: %+v, %v, %d keys", call, got, err, s.keys(t))
			}
		}
	}
}

func TestProposalThatCouldNotBeStored(t *testing.T) {
	t.Parallel()
	s := start(t)
	req := s.request(t)
	s.records.Fail(func(_ int, write bool) keyringtest.Failure { return keyringtest.Failure(map[bool]int{true: 1}[write]) })
	_, err := s.Propose(ctx, ada, req)
	wantCode(t, err, "operations-unavailable")
	s.records.Fail(nil)
	if page, err := s.List(ctx, ada, true, ""); err != nil || len(page.Operations) != 0 {
		t.Errorf("%d operations, %v", len(page.Operations), err)
	}
}

func TestListShowsPagesWithoutCertificates(t *testing.T) {
	t.Parallel()
	s := start(t)
	req := s.request(t)
	var want []string
	for i := range 24 {
		op := s.propose(t, []string{ada, bo, cy}[i/8], req)
		want = append(want, op.ID)
	}
	var got []string
	for after := ""; ; {
		page, err := s.List(ctx, bo, true, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range page.Operations {
			got = append(got, op.ID)
			if reg := op.Request.Registrations[0]; reg.Certificate != nil || reg.Issuer != nil || reg.Label == "" {
				t.Errorf("a list shows %+v", reg)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d of %d operations, or another order", len(got), len(want))
	}
	whole, err := s.Get(ctx, bo, want[0])
	if err != nil || len(whole.Request.Registrations[0].Certificate) == 0 {
		t.Errorf("a single operation without its certificate: %v", err)
	}
	_, err = s.List(ctx, bo, true, "not an id")
	wantCode(t, err, "unknown-operation")
}

// TestNobodyKeepsTheOthersFromProposing: what one operator may have open is a part of what
// may be open, and any operator takes a proposal back.
func TestNobodyKeepsTheOthersFromProposing(t *testing.T) {
	t.Parallel()
	s := start(t)
	names := []string{ada, bo, cy, "urn:test:operator:di", "urn:test:operator:ed"}
	deps := s.deps()
	deps.Operator = oneOf(names...)
	o, err := operations.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	s.Operations = o
	req := s.request(t)
	var first string
	for _, name := range names[:4] {
		for range 8 {
			op := s.propose(t, name, req)
			if first == "" {
				first = op.ID
			}
		}
		_, err := s.Propose(ctx, name, req)
		wantCode(t, err, "too-many-operations")
	}
	_, err = s.Propose(ctx, names[4], req) // 32 in all
	wantCode(t, err, "too-many-operations")
	if got, err := s.Withdraw(ctx, bo, first); err != nil || got.State != signing.OperationWithdrawn {
		t.Fatal(got, err)
	}
	if last := s.log.entries[len(s.log.entries)-1]; last.Action != "operation.withdrawn" || last.Actor != bo || last.Attributes["proposer"] != ada || last.Subject != first {
		t.Errorf("audited as %+v; want both names", last)
	}
	_, err = s.Approve(ctx, bo, first)
	wantCode(t, err, "operation-decided")
	s.propose(t, ada, req)
}

func TestStopByOneResumeByTwo(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.another(t)
	stop, err := s.Stop(ctx, ada, signing.StopFraud)
	if err != nil || !stop.Stopped || stop.By != ada || stop.Reason != "fraud" || !s.Stopped() {
		t.Fatalf("%+v, %v", stop, err)
	}
	if other.Stopped() {
		t.Error("the other process knows before it looked")
	}
	if err := other.Reload(ctx); err != nil || !other.Stopped() {
		t.Errorf("the other process goes on: %v", err)
	}
	again, err := other.Stop(ctx, bo, signing.StopDrill)
	if err != nil || !again.Stopped || again.By != bo || again.Reason != "drill" {
		t.Errorf("the answer does not say what stands: %+v, %v", again, err)
	}
	op := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationResume})
	_, err = s.Approve(ctx, ada, op.ID)
	wantCode(t, err, "same-operator")
	if !s.Stopped() {
		t.Fatal("one operator ended a stop")
	}
	got, err := other.Approve(ctx, bo, op.ID)
	if err != nil || got.State != signing.OperationDone || other.Stopped() {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := s.Reload(ctx); err != nil || s.Stopped() {
		t.Errorf("still stopped: %v", err)
	}
	for _, line := range []string{"operation.stop ada intended fraud", "operation.stop ada done fraud", "operation.executed bo done"} {
		if s.log.count(line) != 1 {
			t.Errorf("audit log without %q: %q", line, s.log.lines())
		}
	}
}

func TestResumeEndsNoLaterStop(t *testing.T) {
	t.Parallel()
	s := start(t)
	resume := signing.OperationRequest{Kind: signing.OperationResume}
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	first, second := s.propose(t, ada, resume), s.propose(t, ada, resume)
	if got, err := s.Approve(ctx, bo, first.ID); err != nil || got.State != signing.OperationDone {
		t.Fatal(got, err)
	}
	if _, err := s.Stop(ctx, cy, signing.StopKeyCompromise); err != nil {
		t.Fatal(err)
	}
	got, err := s.Approve(ctx, bo, second.ID)
	if err != nil || got.State != signing.OperationFailed || got.Failure != "stop-changed" || !s.Stopped() {
		t.Errorf("%+v, %v, stopped %v; want the later stop to stand", got, err, s.Stopped())
	}
}

// TestStopOverAStop: a resume waits for the end of a drill when somebody finds a compromise.
func TestStopOverAStop(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.another(t)
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	op := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationResume})
	s.clock.Advance(time.Second)
	stop, err := other.Stop(ctx, cy, signing.StopKeyCompromise)
	if err != nil || stop.By != cy || stop.Reason != "key-compromise" || !stop.Since.Equal(s.clock.Now()) {
		t.Errorf("%+v, %v; want the later stop", stop, err)
	}
	got, err := s.Approve(ctx, bo, op.ID)
	if err != nil || got.State != signing.OperationFailed || got.Failure != "stop-changed" || !s.Stopped() || !other.Stopped() {
		t.Errorf("%+v, %v, stopped %v; want the later stop to stand", got, err, s.Stopped())
	}
	if shown, err := s.StopState(ctx, ada); err != nil || shown.By != cy {
		t.Errorf("%+v, %v", shown, err)
	}
}

// TestStopDoesNotWaitForTheAuditLog: its disk hangs, and the others learn of the stop.
func TestStopDoesNotWaitForTheAuditLog(t *testing.T) {
	t.Parallel()
	s := start(t)
	release := make(chan struct{})
	s.log.failing(func(audit.Entry) bool { <-release; return false })
	answer := make(chan error, 1)
	go func() { _, err := s.Stop(ctx, ada, signing.StopFraud); answer <- err }()
	other := s.another(t)
	for deadline := time.Now().Add(4 * time.Second); !other.Stopped(); time.Sleep(time.Millisecond) {
		if err := other.Reload(ctx); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("not stored for the others")
		}
	}
	wantCode(t, <-answer, "stop-not-audited") // although the log still hangs
	close(release)
}

// TestStopThatCannotBeReadCountsAsStanding: somebody may have stopped elsewhere.
func TestStopThatCannotBeReadCountsAsStanding(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.records.Fail(func(int, bool) keyringtest.Failure { return keyringtest.Before })
	s.clock.Advance(time.Minute)
	if err := s.Reload(ctx); err == nil || s.Stopped() {
		t.Errorf("%v, stopped %v after a minute", err, s.Stopped())
	}
	s.clock.Advance(time.Second)
	if !s.Stopped() {
		t.Error("signs, and nobody knows whether it may")
	}
	_, err := s.StopState(ctx, ada)
	wantCode(t, err, "operations-unavailable")
	s.records.Fail(nil)
	if err := s.Reload(ctx); err != nil || s.Stopped() {
		t.Errorf("%v, stopped %v after it was read", err, s.Stopped())
	}
}

// TestStopAtStart: after a restore the process itself stops, and two operators resume.
func TestStopAtStart(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.log.failing(func(audit.Entry) bool { return true })
	if err := s.StopAtStart(ctx); err == nil || !s.Stopped() {
		t.Errorf("%v, stopped %v; want an error without audit entry", err, s.Stopped())
	}
	s.log.failing(nil)
	if err := s.StopAtStart(ctx); err != nil || !s.another(t).Stopped() {
		t.Fatalf("%v; want it stored", err)
	}
	stop, err := s.StopState(ctx, ada)
	if err != nil || stop.By != "signer" || stop.Reason != "maintenance" || s.log.count("operation.stop signer done maintenance") != 1 {
		t.Errorf("%+v, %v, %q", stop, err, s.log.lines())
	}
	op := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationResume})
	if got, err := s.Approve(ctx, bo, op.ID); err != nil || got.State != signing.OperationDone || s.Stopped() {
		t.Errorf("%+v, %v", got, err)
	}
	s.records.Fail(func(int, bool) keyringtest.Failure { return keyringtest.Before })
	if err := s.StopAtStart(ctx); err == nil || !s.Stopped() {
		t.Errorf("%v, stopped %v without a store", err, s.Stopped())
	}
}

// TestSlowOperationDoesNotDelayAStop: finishing an operation hangs, a stop set elsewhere is
// seen all the same.
func TestSlowOperationDoesNotDelayAStop(t *testing.T) {
	t.Parallel()
	s := start(t)
	op := s.propose(t, ada, s.request(t))
	s.register.fail.Store(ptr(errors.New("killed")))
	_, err := s.Approve(ctx, bo, op.ID)
	wantCode(t, err, "operation-approved")
	s.clock.Advance(time.Minute)
	hangs, release := make(chan struct{}), make(chan struct{})
	deps := s.deps()
	deps.Refresh = time.Millisecond
	deps.Register = slow{s.register, hangs, release}
	o, err := operations.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- o.Run(running) }()
	<-hangs
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); !o.Stopped(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the stop waits for the operation")
		}
	}
	close(release)
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// slow is a register whose first Apply hangs.
type slow struct {
	*applied
	hangs, release chan struct{}
}

func (s slow) Apply(context.Context, string, signing.OperationRequest) error {
	close(s.hangs)
	<-s.release
	return errors.New("given up")
}

// TestOldAnswerDoesNotEndAStop: a refresh that read before a stop answers after it.
func TestOldAnswerDoesNotEndAStop(t *testing.T) {
	t.Parallel()
	s := start(t)
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	op := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationResume})
	if got, err := s.Approve(ctx, bo, op.ID); err != nil || got.State != signing.OperationDone {
		t.Fatal(got, err)
	}
	s.records.AfterRead(func() {
		if _, err := s.Stop(ctx, ada, signing.StopFraud); err != nil {
			t.Error(err)
		}
	})
	if err := s.Reload(ctx); err != nil || !s.Stopped() {
		t.Errorf("%v, stopped %v", err, s.Stopped())
	}
}

// TestResumeWhoseResultWasLost: the process dies after the stop ended and before the
// operation says so; whoever finishes it sees that it was done.
func TestResumeWhoseResultWasLost(t *testing.T) {
	t.Parallel()
	s := start(t)
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	op := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationResume})
	s.log.failing(func(e audit.Entry) bool { return e.Action == "operation.executed" })
	_, err := s.Approve(ctx, bo, op.ID)
	wantCode(t, err, "operation-approved")
	s.log.failing(nil)
	s.clock.Advance(2 * time.Minute)
	if err := errors.Join(s.another(t).Sweep(ctx), s.Reload(ctx)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(ctx, ada, op.ID); err != nil || got.State != signing.OperationDone || s.Stopped() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStopHoldsWithoutStoreAndWithoutAudit(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.records.Fail(func(int, bool) keyringtest.Failure { return keyringtest.Before })
	_, err := s.Stop(ctx, ada, signing.StopDefect)
	wantCode(t, err, "stop-not-stored")
	if !s.Stopped() {
		t.Fatal("a stop waits for the store")
	}
	if err := s.Reload(ctx); err == nil || !s.Stopped() {
		t.Errorf("%v, stopped %v: the stop was forgotten", err, s.Stopped())
	}
	s.records.Fail(nil)
	other := s.another(t)
	if other.Stopped() {
		t.Error("stopped elsewhere before it was stored")
	}
	if err := s.Reload(ctx); err != nil || !s.Stopped() {
		t.Errorf("%v, stopped %v", err, s.Stopped())
	}
	if err := other.Reload(ctx); err != nil || !other.Stopped() {
		t.Errorf("not stored by itself: %v", err)
	}

	s = start(t)
	s.log.failing(func(audit.Entry) bool { return true })
	_, err = s.Stop(ctx, ada, signing.StopDefect)
	wantCode(t, err, "stop-not-audited")
	if other := s.another(t); !s.Stopped() || !other.Stopped() {
		t.Error("a stop waits for the audit log")
	}
	s.log.failing(nil)
	if _, err := s.Stop(ctx, ada, signing.StopDefect); err != nil || s.log.count("operation.stop ada done defect") != 1 {
		t.Errorf("repeated: %v, %q", err, s.log.lines())
	}
}

// TestStopWaitsForWhatIsUnderWay: the answer to a stop means that nothing more is released.
func TestStopWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := start(t)
	d := s.deps()
	var o *operations.Operations
	asked, busy := 0, true
	d.Quiet = func(context.Context) error {
		if asked++; !o.Stopped() {
			t.Error("asked for quiet before the stop stands")
		}
		if busy {
			return context.DeadlineExceeded
		}
		return nil
	}
	o, err := operations.Open(ctx, d)
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.Stop(ctx, ada, signing.StopDrill)
	wantCode(t, err, "stop-under-way")
	if !o.Stopped() {
		t.Error("the stop does not stand while something is under way")
	}
	busy = false
	if stop, err := o.Stop(ctx, ada, signing.StopDrill); err != nil || !stop.Stopped || asked != 2 {
		t.Errorf("%+v, %v after %d questions", stop, err, asked)
	}
}

func TestStopSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := start(t)
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	if !s.another(t).Stopped() {
		t.Error("a restart ends the stop")
	}
	s.records.Fail(func(int, bool) keyringtest.Failure { return keyringtest.Before })
	if _, err := operations.Open(ctx, s.deps()); err == nil {
		t.Error("opens without knowing whether signing is stopped")
	}
}

// TestStopAndResumeRace: while stops, resumes and refreshes race, what a process believes
// ends as what is stored.
func TestStopAndResumeRace(t *testing.T) {
	t.Parallel()
	s := start(t)
	processes := []*operations.Operations{s.Operations, s.another(t)}
	for range 10 {
		if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
			t.Fatal(err)
		}
		op := s.propose(t, ada, signing.OperationRequest{Kind: signing.OperationResume})
		var racers sync.WaitGroup
		for _, o := range processes {
			racers.Go(func() { _ = o.Reload(ctx) })
			racers.Go(func() { _, _ = o.Stop(ctx, bo, signing.StopFraud) })
		}
		racers.Go(func() { _, _ = processes[1].Approve(ctx, cy, op.ID) })
		racers.Wait()
		for _, o := range processes {
			if err := o.Reload(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if stored := s.another(t).Stopped(); processes[0].Stopped() != stored || processes[1].Stopped() != stored {
			t.Fatalf("stored %v, believed %v and %v", stored, processes[0].Stopped(), processes[1].Stopped())
		}
	}
}

func TestRunFinishesAndFollows(t *testing.T) {
	t.Parallel()
	s := start(t)
	deps := s.deps()
	deps.Refresh = time.Millisecond
	o, err := operations.Open(ctx, deps)
	if err != nil {
		t.Fatal(err)
	}
	op := s.propose(t, ada, s.request(t))
	s.register.fail.Store(ptr(errors.New("killed")))
	_, err = s.Approve(ctx, bo, op.ID)
	wantCode(t, err, "operation-approved")
	s.register.fail.Store(nil)
	s.clock.Advance(5 * time.Minute)
	if _, err := s.Stop(ctx, ada, signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- o.Run(running) }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if got, err := s.Get(ctx, ada, op.ID); err == nil && got.State == signing.OperationDone && o.Stopped() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("neither finished nor stopped")
		}
	}
	end()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestOpenNeedsEverything(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, change := range map[string]func(*operations.Deps){
		"no operators": func(d *operations.Deps) { d.Operator = nil },
		"no store":     func(d *operations.Deps) { d.Records = nil }, "no register": func(d *operations.Deps) { d.Register = nil },
		"no audit": func(d *operations.Deps) { d.Audit = nil }, "no clock": func(d *operations.Deps) { d.Clock = nil },
		"no refresh": func(d *operations.Deps) { d.Refresh = 0 },
	} {
		deps := s.deps()
		change(&deps)
		if _, err := operations.Open(ctx, deps); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

var _ docstore.Store = (*keyringtest.Faulty)(nil)
