package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
	"github.com/trustedparty/ddcc-gateway/internal/platform/devpki"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// transactionOf is what the record shows.
type transactionOf struct {
	ID, Client, ClientUnknown, Peer, Via, Route, Outcome, Correlation, Parent string
	Status, FailedEntries                                                     int
	Replayed                                                                  bool
	Certificates                                                              []string
	Request, Response                                                         struct {
		Size         int
		Digest, Kept string
	}
	Calls []struct {
		Peer string
		Legs []struct {
			Name, Path string
			N, Status  int
			Request    struct{ Digest string }
		}
	}
}

// operatorGet reads a route as the operator.
func operatorGet(t *testing.T, s *harness.System, path string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	a, err := harness.Do(s.Client("operator-1"), req)
	if err != nil || a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, a.Status, a.Body, err)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		t.Fatal(err)
	}
}

// transactionsOf waits until a search finds n transactions.
func transactionsOf(t *testing.T, s *harness.System, query string, n int) []transactionOf {
	t.Helper()
	var page struct{ Transactions []transactionOf }
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		operatorGet(t, s, "/transactions?"+query, &page)
		if len(page.Transactions) == n {
			return page.Transactions
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d transactions, want %d", query, len(page.Transactions), n)
		}
	}
}

// TestTransactions: what became of each request, with the calls of the signer, and without
// anything about the person, in files, answers and what the tool prints.
func TestTransactions(t *testing.T) {
	t.Parallel()
	s := harness.New(t, "--transaction-bodies")
	post := func(path, correlation string, body []byte, want int) {
		t.Helper()
		a, err := s.Post(path, body, "X-Correlation-Id", correlation)
		if err != nil || a.Status != want {
			t.Fatalf("%s: %d %s %v", path, a.Status, a.Body, err)
		}
	}
	event := harness.VS(t, "RECORD-1")
	post(generate, "first", event, http.StatusCreated)
	post(generate, "again", event, http.StatusOK)
	post(generate, "wrong", harness.VS(t, "RECORD-2", harness.Items{"vaccine": nil}), http.StatusUnprocessableEntity)
	batch := harness.Batch(
		harness.Response(harness.QuestionnaireVS, harness.Vaccination("RECORD-3")),
		harness.Response(harness.QuestionnaireVS, harness.Vaccination("RECORD-4", harness.Items{"date": nil})),
	)
	post("/ddcc/submitHealthEvent", "batch", harness.JSON(t, batch), http.StatusOK)

	first := transactionsOf(t, s, "correlation=first", 1)[0]
	if first.Client != "demo-clinic" || first.Peer != devpki.IssuerName || first.Via != "direct" || first.Outcome != "done" || first.Status != 201 || first.Replayed ||
		len(first.Certificates) != 1 || first.Request.Kept != "sealed" || first.Request.Size == 0 || first.Response.Digest == "" {
		t.Errorf("%+v", first)
	}
	operatorGet(t, s, "/transactions/"+first.ID, &first)
	if len(first.Calls) != 1 || first.Calls[0].Peer != "signer" || len(first.Calls[0].Legs) != 2 || first.Calls[0].Legs[0].Name != "sign certificate" ||
		first.Calls[0].Legs[1].Path != "/v1/documents" || first.Calls[0].Legs[0].Request.Digest == "" {
		t.Errorf("%+v", first.Calls)
	}
	again := transactionsOf(t, s, "correlation=again", 1)[0]
	operatorGet(t, s, "/transactions/"+again.ID, &again)
	if !again.Replayed || again.Parent != first.ID || again.Request.Digest != first.Request.Digest || len(again.Calls) != 0 {
		t.Errorf("%+v", again)
	}
	if wrong := transactionsOf(t, s, "status=4xx", 1)[0]; wrong.Correlation != "wrong" || wrong.Outcome == "done" {
		t.Errorf("%+v", wrong)
	}
	if batch := transactionsOf(t, s, "outcome=partial", 1)[0]; batch.FailedEntries != 1 || len(batch.Certificates) != 1 {
		t.Errorf("%+v", batch)
	}
	out, err := runTool(t, gatewayArgs(s, "revoke", first.Certificates[0], "--reason", "holder-request")...)
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if of := transactionsOf(t, s, "certificate="+first.Certificates[0], 3); !strings.HasSuffix(of[0].Route, "$revokeHealthCertificate") {
		t.Errorf("%+v", of[0])
	}
	theTool(t, s, first)
	nothingOfThePerson(t, s, []transactionOf{first, again})
}

// theTool prints the same.
func theTool(t *testing.T, s *harness.System, first transactionOf) {
	t.Helper()
	run := func(args ...string) string {
		t.Helper()
		out, err := runTool(t, append(args, "--gateway", s.URL, "--ca", s.Install.Path("tls", "ca.pem"),
			"--cert", s.Install.Path("tls", "operator-1.pem"), "--key", s.Install.Path("tls", "operator-1.key"))...)
		if err != nil {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
		return out
	}
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"transactions", "list"}, []string{first.ID, "demo-clinic", "partial", "OUTCOME"}},
		{[]string{"transactions", "list", "--certificate", first.Certificates[0], "--since", "1h", "--json"}, []string{`"replayed":true`, first.ID}},
		{[]string{"transactions", "show", first.ID}, []string{"sign certificate: POST /v1/certificates", first.Certificates[0], "sealed", "demo-clinic"}},
		{[]string{"transactions", "stats"}, []string{"/ddcc/generateHealthCertificate", "P95"}},
	} {
		out := run(test.args...)
		for _, want := range test.want {
			if !strings.Contains(out, want) {
				t.Errorf("%q does not print %q:\n%s", test.args, want, out)
			}
		}
	}
	out, err := runTool(t, gatewayArgs(s, "transactions", "list")...)
	if exit(err) != 1 || !strings.Contains(out, "operator") {
		t.Errorf("an issuer reads the record: %v\n%s", err, out)
	}
}

// nothingOfThePerson searches everything that stays and everything that is told.
func nothingOfThePerson(t *testing.T, s *harness.System, shown []transactionOf) {
	t.Helper()
	places := map[string]string{"log": s.Logs(), "answers": fmt.Sprintf("%+v", shown)}
	if a, err := s.Admin("gateway", "/metrics"); err == nil {
		places["metrics"] = string(a.Body)
	}
	if !strings.Contains(places["metrics"], `ddcc_transactions_total{record="kept"}`) {
		t.Error("no metric of transactions")
	}
	err := filepath.WalkDir(s.Install.Path("gateway"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasPrefix(e.Name(), "transactions.db") {
			places[e.Name()] = string(read(t, path))
		}
		return err
	})
	if err != nil || len(places) < 4 {
		t.Fatalf("%d places, %v", len(places), err)
	}
	for place, content := range places {
		for _, text := range []string{"Ngozi", "1979-03-08", "NID-SPECIMEN-55", "SPECLOT7", "HW-SPECIMEN-9", "RECORD-1", "RECORD-3", "HC1:"} {
			if strings.Contains(content, text) {
				t.Errorf("%s shows %q", place, text)
			}
		}
	}
}

// TestTransactionsThroughOpenHIM: what OpenHIM brings is recorded as what it was before it got
// OpenHIM's form, with the ids that OpenHIM knows it by.
func TestTransactionsThroughOpenHIM(t *testing.T) {
	t.Parallel()
	flags := []string{"--openhim-name=" + devpki.Operator2Name, ""}
	s := harness.Start(t, harness.Options{Gateway: flags, Prepare: func(install devinstall.Installation) {
		issuers := read(t, install.Path("issuers.json"))
		write(t, install.Path("issuers.json"), bytes.Replace(issuers, []byte(`"certificate":`), []byte(`"openhimClient": "clinic", "certificate":`), 1))
		write(t, install.Path("channel.secret"), []byte("gateway:a-password-of-the-channel\n"))
		flags[1] = "--openhim-channel-credentials=" + install.Path("channel.secret")
	}})
	const him = "507f1f77bcf86cd799439011"
	for correlation, password := range map[string]string{"carried": "a-password-of-the-channel", "public": "none"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+generate, bytes.NewReader(harness.VS(t, "HIM-1")))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("gateway", password)
		for name, value := range map[string]string{
			"Content-Type": "application/fhir+json", "X-Correlation-Id": correlation, "X-OpenHIM-ClientID": "clinic", "X-OpenHIM-TransactionID": him,
		} {
			req.Header.Set(name, value)
		}
		if a, err := harness.Do(s.Client("operator-2"), req); err != nil || a.Status != http.StatusOK {
			t.Fatalf("%d %s %v", a.Status, a.Body, err)
		}
	}
	got := transactionsOf(t, s, "openhim="+him, 2)
	slices.SortFunc(got, func(a, b transactionOf) int { return b.Status - a.Status })
	if nobody := got[0]; nobody.Status != 401 || nobody.Client != "" || nobody.ClientUnknown != nobody.Outcome || nobody.Via != "openhim" {
		t.Errorf("%+v", nobody)
	}
	if carried := got[1]; carried.Status != 201 || carried.Client != "demo-clinic" || carried.Via != "openhim" || carried.Peer != devpki.Operator2Name || len(carried.Certificates) != 1 {
		t.Errorf("%+v", carried)
	}
}

// TestTransactionsSurviveAKill: the gateway dies under load; what is on the record is whole,
// and what is missing was answered in the last moment. What was issued is issued all the same.
func TestTransactionsSurviveAKill(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	type answered struct {
		correlation string
		at          time.Time
	}
	var mu sync.Mutex
	var all []answered
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				correlation := fmt.Sprintf("kill-%d-%d", worker, n)
				a, err := s.Post(generate, harness.VS(t, strings.ToUpper(correlation)), "X-Correlation-Id", correlation)
				if err != nil || a.Status != http.StatusCreated {
					return
				}
				mu.Lock()
				all = append(all, answered{correlation, time.Now()})
				mu.Unlock()
			}
		})
	}
	for enough := false; !enough; time.Sleep(20 * time.Millisecond) {
		mu.Lock()
		enough = len(all) >= 100
		mu.Unlock()
	}
	harness.Kill(s.Gateway)
	killed := time.Now()
	wg.Wait()
	s.StartGateway()
	lost, oldest := 0, time.Duration(0)
	for _, one := range all {
		var page struct{ Transactions []transactionOf }
		operatorGet(t, s, "/transactions?correlation="+one.correlation, &page)
		switch {
		case len(page.Transactions) == 0:
			lost++
			oldest = max(oldest, killed.Sub(one.at))
		case len(page.Transactions) > 1 || page.Transactions[0].Status != 201 || len(page.Transactions[0].Certificates) != 1:
			t.Errorf("%+v", page.Transactions)
		}
		time.Sleep(100 * time.Millisecond) // ten a second is what an operator may ask
	}
	t.Logf("%d requests answered, %d not on the record, the oldest of them answered %s before the end", len(all), lost, oldest.Round(time.Millisecond))
	if oldest > 2*time.Second { // about 250 ms on a machine that does nothing else
		t.Errorf("a record was lost %s after its answer", oldest)
	}
}

// TestOperatorsAreNoIssuers: a configuration that makes one of the other is refused.
func TestOperatorsAreNoIssuers(t *testing.T) {
	t.Parallel()
	s := harness.New(t)
	args := slices.Clone(s.Install.GatewayArgs("127.0.0.1:0", s.SignerAddress))
	args[0] = "check-config"
	for extra, want := range map[string]string{
		"--operators=" + devpki.IssuerName: "an operator is never an issuer", "--transaction-retention=1h": "transaction-body-retention",
		"--transaction-retention=9000h": "8784h",
	} {
		got := append(slices.Clone(args), extra)
		if strings.Contains(extra, "=1h") {
			got = append(got, "--transaction-bodies")
		}
		out, err := runBinary(t, "gateway", got...)
		if exit(err) != 2 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d, want 2 with %q\n%s", extra, exit(err), want, out)
		}
	}
	if out, err := runBinary(t, "gateway", args...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func runBinary(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), harness.Binary(t, name), args...).CombinedOutput()
	return string(out), err
}
