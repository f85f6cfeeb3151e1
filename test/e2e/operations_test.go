package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/client"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestFourEyes: nobody approves what he proposed himself, and of many who approve at once
// one does.
func TestFourEyes(t *testing.T) {
	t.Parallel()
	const approvers = 4
	ca := newAuthority(t)
	s := harness.Start(t, harness.Options{Prepare: func(install devinstall.Installation) {
		ca.trusted(install)
		changePolicy(t, install, func(p *policy.Policy) {
			for n := range approvers {
				name := fmt.Sprintf("urn:ddcc-gateway:operator:more:%d", n)
				p.Operators = append(p.Operators, name)
				ca.issue(install, fmt.Sprintf("more-%d", n), name, time.Now().Add(time.Hour))
			}
		})
	}})
	first := operator(t, s, 1)
	proposed, err := first.Propose(t.Context(), nextKey(t, s))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Approve(t.Context(), proposed.ID); code(err) != "same-operator" {
		t.Errorf("approved by the proposer: %v", err)
	}
	if op, err := first.Operation(t.Context(), proposed.ID); err != nil || op.State != signing.OperationPending {
		t.Fatalf("%v, state %s", err, op.State)
	}
	winners := race(t, s, proposed.ID, approvers)
	if len(winners) != 1 {
		t.Errorf("%d operators approved: %v", len(winners), winners)
	}
	op, err := first.Operation(t.Context(), proposed.ID)
	if err != nil || op.State != signing.OperationDone || !slices.Equal(winners, []string{op.Approver}) {
		t.Errorf("%v, %s by %s, answered to %v", err, op.State, op.Approver, winners)
	}
	s.Stop()
	counts := map[string]int{}
	for _, e := range auditLog(t, s) {
		if e.Subject == proposed.ID {
			counts[e.Action]++
		}
	}
	if counts["operation.executed"] != 1 || counts["operation.proposed"] != 1 || counts["operation.refused"] < 1 {
		t.Errorf("audit log: %v", counts)
	}
	checkAuditLog(t, s)
}

// race has several operators approve at once, each of them twice, and gives those whose
// approval counted.
func race(t *testing.T, s *harness.System, id string, approvers int) []string {
	t.Helper()
	var mu sync.Mutex
	winners := map[string]bool{}
	var wg sync.WaitGroup
	for n := range approvers {
		o := moreOperator(t, s, n)
		for range 2 {
			wg.Go(func() {
				op, err := o.Approve(t.Context(), id)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					winners[op.Approver] = true
				case code(err) != "operation-decided":
					t.Errorf("operator %d: %v", n, err)
				}
			})
		}
	}
	wg.Wait()
	var names []string
	for name := range winners {
		names = append(names, name)
	}
	return names
}

// moreOperator calls the signer with one of the certificates of TestFourEyes.
func moreOperator(t *testing.T, s *harness.System, n int) *client.Operator {
	t.Helper()
	path := s.Install.Path("tls", fmt.Sprintf("more-%d", n))
	settings, err := tlsconf.NewClient(tlsconf.ClientOptions{
		Files: tlsconf.ClientFiles{
			Identity: tlsconf.Identity{Cert: path + ".pem", Key: config.SecretFile(path + ".key")}, CA: s.Install.Path("tls", "ca.pem"),
		},
		Verify: tlsconf.VerifyPeerName([]string{devpki.SignerName}),
	})
	if err != nil {
		t.Fatal(err)
	}
	o, err := client.NewOperator("https://"+s.SignerAddress, client.Transport(settings), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestKillInAKeyOperation kills the signer at each step of a registration. After its
// restart the key is on the register or not, never half; the approval was not lost, and is
// carried out as soon as the dead process cannot come back.
func TestKillInAKeyOperation(t *testing.T) {
	t.Parallel()
	for point, applied := range map[string]bool{
		"operation-after-claim": false, "operation-after-execution": true, "operation-after-audit": true,
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			s := harness.New(t)
			request := nextKey(t, s)
			id := killInApproval(t, s, point, request)
			op, err := operator(t, s, 2).Approve(t.Context(), id) // the same operator asks again
			if err != nil || op.State != signing.OperationExecuting {
				t.Fatalf("%v, state %s", err, op.State)
			}
			if got := registered(t, s, request); got != applied {
				t.Errorf("the key is on the register: %v, want %v", got, applied)
			}
			mustIssue(t, s, generate, harness.VS(t, "OPERATION-1"))
			s.Signer.Stop()
			endLease(t, s, id)
			s.StartSigner()
			waitDone(t, s, id)
			if !registered(t, s, request) {
				t.Error("the operation is done and the key is not on the register")
			}
			mustIssue(t, s, generate, harness.VS(t, "OPERATION-2"))
			if got, want := signingKID(t, s), kidOf(request.Registrations[0]); !bytes.Equal(got, want) {
				t.Errorf("key %x signs, want %x", got, want)
			}
			s.Stop()
			checkBooks(t, s)
		})
	}
}

// killInApproval proposes a request, has the signer die at a point of its approval,
// restarts it and gives the operation.
func killInApproval(t *testing.T, s *harness.System, point string, request signing.OperationRequest) string {
	t.Helper()
	proposed, err := operator(t, s, 1).Propose(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	killAt(t, s, "signer", point)
	if op, err := operator(t, s, 2).Approve(t.Context(), proposed.ID); err == nil {
		t.Fatalf("answered with %s although the signer was killed", op.State)
	}
	revive(t, s, "signer")
	return proposed.ID
}

// registered reports whether the register has the key of a request, whole.
func registered(t *testing.T, s *harness.System, request signing.OperationRequest) bool {
	t.Helper()
	keys, err := operator(t, s, 1).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want, found := request.Registrations[0], 0
	for _, k := range keys {
		if bytes.Equal(k.Certificate, want.Certificate) {
			found++
			if k.Label != want.Label || k.Version != want.Version || !k.Signing || !bytes.Equal(k.Issuer, want.Issuer) {
				t.Errorf("the register has half a key: %+v", k)
			}
		}
	}
	if found > 1 {
		t.Errorf("the key is on the register %d times", found)
	}
	return found > 0
}

// endLease turns the clock of an operation's lease forward while nothing runs.
func endLease(t *testing.T, s *harness.System, id string) {
	t.Helper()
	const collection = "key-operations"
	store, err := sqlite.Open(context.Background(), s.Install.Path("signer", "ledger.db"), sqlite.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	doc, err := store.Get(context.Background(), collection, id)
	if err != nil {
		t.Fatal(err)
	}
	var row map[string]json.RawMessage
	if err := json.Unmarshal(doc.Body, &row); err != nil || row["leaseUntil"] == nil {
		t.Fatalf("no lease: %v %s", err, doc.Body)
	}
	row["leaseUntil"] = harness.JSON(t, time.Now().Add(-time.Second))
	doc.Body = harness.JSON(t, row)
	if _, err := store.Update(context.Background(), collection, doc); err != nil {
		t.Fatal(err)
	}
}

func waitDone(t *testing.T, s *harness.System, id string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Millisecond) { // operators have a rate
		op, err := operator(t, s, 2).Operation(t.Context(), id)
		if err == nil && op.State == signing.OperationDone {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%v, state %s", err, op.State)
		}
	}
}

// TestKillInAResume: a signer that dies while a stop is being ended comes back stopped or
// not, as the operation says, and in the end signs.
func TestKillInAResume(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	if _, err := operator(t, s, 1).Stop(t.Context(), signing.StopDrill); err != nil {
		t.Fatal(err)
	}
	id := killInApproval(t, s, "operation-after-claim", signing.OperationRequest{Kind: signing.OperationResume})
	if one := issueOne(t, s, "RESUME-1"); one.text != "" {
		t.Error("signed although nobody has carried the resume out")
	}
	s.Signer.Stop()
	endLease(t, s, id)
	s.StartSigner()
	waitDone(t, s, id)
	if one := issueOne(t, s, "RESUME-1"); one.text == "" {
		t.Errorf("%d %s", one.status, one.body)
	}
	s.Stop()
	checkBooks(t, s)
}
