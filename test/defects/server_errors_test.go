package defects

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/maps/registration"
	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// poison is in every wrong answer of the FHIR server: it must get nowhere.
const poison = "Poisoned Specimen"

const poisonedOutcome = `{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"exception","diagnostics":"` + poison + `"}]}`

// wrongAnswers are what a FHIR server in trouble says in place of what it was asked for.
var wrongAnswers = map[string]func(request) answer{
	"outcome 200": func(request) answer { return fhirAnswer(http.StatusOK, poisonedOutcome) },
	"outcome 500": func(request) answer { return fhirAnswer(http.StatusInternalServerError, poisonedOutcome) },
	"document 200": func(request) answer {
		return fhirAnswer(http.StatusOK, `{"resourceType":"Bundle","id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","type":"document","entry":[{"resource":{"resourceType":"Patient","name":[{"text":"`+poison+`"}]}}]}`)
	},
	"outcomes in a Bundle": func(r request) answer {
		var sent struct{ Entry []json.RawMessage }
		if json.Unmarshal(r.body, &sent) != nil { // a search
			return fhirAnswer(http.StatusOK, `{"resourceType":"Bundle","type":"searchset","entry":[{"resource":`+poisonedOutcome+`,"search":{"mode":"outcome"}}]}`)
		}
		entries := make([]string, len(sent.Entry))
		for i := range entries {
			entries[i] = `{"response":{"status":"200 OK","location":"Bundle/1/_history/1","etag":"W/\"1\"","outcome":` + poisonedOutcome + `}}`
		}
		return fhirAnswer(http.StatusOK, `{"resourceType":"Bundle","type":"transaction-response","entry":[`+strings.Join(entries, ",")+`]}`)
	},
}

// serverErrorsAreNotDelivered: an error of the FHIR server under any status, on every call and
// at each step, is no delivery, and nothing of it is kept, signed or handed on.
func serverErrorsAreNotDelivered(t *testing.T, l *landscape) {
	l.settle(t)
	began, delivered, failed := len(l.fhir.seen(0)), l.deliveries(t, "delivered"), l.deliveries(t, "failed")
	all := []delivery{l.onEveryCall(t)}
	for name := range wrongAnswers {
		all = append(all, l.atEachStep(t, name)...)
	}
	all = append(all, l.whereRecordsAreRead(t)...)
	withdrawn := l.whenWithdrawn(t)
	l.arrive(t, all...)
	for _, d := range withdrawn {
		l.eventually(t, "the revoked document stays", func() bool { return l.stored(d.ID) == nil })
	}
	l.settle(t)
	if n := l.deliveries(t, "delivered") - delivered; n != len(all)+2*len(withdrawn) {
		t.Errorf("%d count as delivered, %d certificates and %d revocations were", n, len(all)+len(withdrawn), len(withdrawn))
	}
	if n := l.deliveries(t, "failed") - failed; n < 1+3*len(wrongAnswers)+len(withdrawn) {
		t.Errorf("%d attempts count as failed", n)
	}
	for _, r := range l.fhir.seen(began) {
		if bytes.Contains(r.body, []byte(poison)) {
			t.Error("the words of the FHIR server are sent back to it")
		}
	}
	failures := l.operator(t, http.MethodGet, "/transactions?route=delivery&_count=100")
	if failures.Status != http.StatusOK || bytes.Contains(failures.Body, []byte(poison)) || !bytes.Contains(failures.Body, []byte(all[0].ID)) {
		t.Errorf("the record does not have the failures, or the FHIR server's words: %d", failures.Status)
	}
	for _, d := range all {
		if a := l.get(t, "/ddcc/Bundle/"+d.ID); !bytes.Equal(a.Body, d.document) || bytes.Contains(a.Body, []byte(poison)) {
			t.Errorf("the document is another one: %d", a.Status)
		}
	}
}

// onEveryCall: nothing else is answered for a while.
func (l *landscape) onEveryCall(t *testing.T) delivery {
	t.Helper()
	failed := l.deliveries(t, "failed")
	met, undo := l.fhir.change(everything, instead(fhirAnswer(http.StatusOK, poisonedOutcome)))
	defer undo()
	d := l.issue(t, hcid(t)+"-ALL")
	l.met(t, "all calls", met)
	l.failed(t, d, failed)
	return d
}

// failed insists that a delivery counts as failed and nothing of it is there.
func (l *landscape) failed(t *testing.T, d delivery, before int) {
	t.Helper()
	l.eventually(t, "the failure is not counted", func() bool { return l.deliveries(t, "failed") > before })
	if l.stored(d.ID) != nil {
		t.Error("the document is there")
	}
	if a := l.get(t, "/ddcc/Bundle/"+d.ID); !bytes.Equal(a.Body, d.document) {
		t.Errorf("the issuer gets something else: %d %.200s", a.Status, a.Body)
	}
}

// atEachStep: the second dose of a holder for each step of its delivery. The first one, which
// arrives, keeps the server from being taken for broken altogether.
func (l *landscape) atEachStep(t *testing.T, name string) []delivery {
	t.Helper()
	var all []delivery
	for step, id := range []string{"-FIND", "-REGISTER", "-STORE"} {
		id = hcid(t) + "-" + strings.ReplaceAll(name, " ", "-") + id
		first := l.issue(t, id)
		l.arrive(t, first)
		to := []func(request) bool{finds(first.folder), transacts(id), stores(id)}[step]
		failed := l.deliveries(t, "failed")
		met, undo := l.fhir.change(to, func(r request, _ func() answer) answer { return wrongAnswers[name](r) })
		second := l.issue(t, id, dose(2))
		l.met(t, id, met)
		l.failed(t, second, failed)
		undo()
		all = append(all, first, second)
	}
	return all
}

// whenWithdrawn: an error is no part of a registration that is taken back, and no proof that
// there is none.
func (l *landscape) whenWithdrawn(t *testing.T) []delivery {
	t.Helper()
	var all []delivery
	for n := range 4 {
		d := l.issue(t, fmt.Sprintf("%s-WITHDRAWN-%d", hcid(t), n))
		l.arrive(t, d)
		to := []func(request) bool{
			finds(d.folder), reads("List/" + registration.SubmissionSetID(d.ID)), reads("DocumentReference/" + d.ReferenceID), transacts("Bundle/" + d.ID),
		}[n]
		failed := l.deliveries(t, "failed")
		met, undo := l.fhir.change(to, instead(fhirAnswer(http.StatusOK, poisonedOutcome)))
		l.revoke(t, d)
		l.met(t, "withdrawal", met)
		l.eventually(t, "the failure is not counted", func() bool { return l.deliveries(t, "failed") > failed })
		if l.stored(d.ID) == nil {
			t.Error("it is gone, and was not withdrawn")
		}
		undo()
		all = append(all, d)
	}
	return all
}

// whereRecordsAreRead: the FHIR server notifies of a dose and answers with an error when the
// dose, or its patient, is read: there nothing may be certified at all.
func (l *landscape) whereRecordsAreRead(t *testing.T) []delivery {
	t.Helper()
	var all []delivery
	n := 0
	for name, wrong := range wrongAnswers {
		id := fmt.Sprintf("b18-%d", n)
		n++
		path, event := l.vaccinated(t, id, strings.ToUpper(hcid(t)+"-"+id))
		before := signatures(t, l.System)
		for _, read := range []string{"Immunization/" + id, "Patient/" + id} {
			_, undo := l.fhir.change(reads(read), func(r request, _ func() answer) answer { return wrong(r) })
			a := l.put(t, path, event)
			undo()
			if _, outcome := harness.OutcomeRules(a.Body); a.Status < 500 || !outcome || bytes.Contains(a.Body, []byte(poison)) {
				t.Errorf("%s of %s: %d %.300s", name, read, a.Status, a.Body)
			}
		}
		if after := signatures(t, l.System); after != before {
			t.Errorf("%s: %d signatures", name, after-before)
		}
		all = append(all, l.notified(t, path, event))
	}
	return all
}

// vaccinated has the FHIR server keep a person with a dose; path is where it notifies of it.
func (l *landscape) vaccinated(t *testing.T, id, hcid string) (path string, event map[string]any) {
	t.Helper()
	l.keep(t, map[string]any{
		"resourceType": "Patient", "id": id, "birthDate": "1979-03-08", "name": []any{map[string]any{"text": "Ngozi Specimen"}},
		"identifier": []any{map[string]any{"system": hcidSystem, "value": hcid}},
	})
	event = shot("SPECLOT7", 1)
	event["id"], event["patient"] = id, map[string]any{"reference": "Patient/" + id}
	l.keep(t, event)
	return "/ddcc/notifications/Immunization/" + id, event
}

// notified gives the certificate that a notification led to.
func (l *landscape) notified(t *testing.T, path string, event map[string]any) delivery {
	t.Helper()
	a := l.put(t, path, event)
	folder, ok := strings.CutPrefix(a.Header.Get("Location"), "/ddcc/List/")
	if a.Status != http.StatusOK || !ok {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	var list struct {
		Entry []struct{ Item struct{ Reference string } }
	}
	listed := l.get(t, "/ddcc/List/"+folder)
	if err := json.Unmarshal(listed.Body, &list); err != nil || len(list.Entry) != 1 {
		t.Fatalf("%v: %.300s", err, listed.Body)
	}
	document := l.get(t, "/ddcc/"+list.Entry[0].Item.Reference)
	return delivery{Certificate: harness.ReadCertificate(t, document.Body), document: document.Body, folder: folder}
}

// registeredLater: what is issued while the FHIR server is away is there later, once, whatever
// becomes of the server's answers; what fails is seen by those who run the gateway.
func registeredLater(t *testing.T, l *landscape) {
	l.settle(t)
	l.serverAway(t)
	l.answersLost(t)
	l.refusedForGood(t)
}

// serverAway: the issuer notices nothing, the operator does.
func (l *landscape) serverAway(t *testing.T) {
	t.Helper()
	l.fhir.peer.Down()
	var all []delivery
	for n := range 3 {
		a := post(t, l.System, generate, harness.VS(t, fmt.Sprintf("%s-AWAY-%d", hcid(t), n/2), dose(n+1)))
		all = append(all, certified(t, a))
		if got := l.get(t, a.Header.Get("Location")); !bytes.Equal(got.Body, a.Body) {
			t.Errorf("it cannot be read at once: %d", got.Status)
		}
	}
	for metric, least := range map[string]float64{"waiting": 3, "paused": 1, "oldest_seconds": 0.001} {
		l.eventually(t, "ddcc_delivery_"+metric+" does not tell", func() bool {
			return l.metric(t, fmt.Sprintf("ddcc_delivery_%s{server=%q}", metric, serverName)) >= least
		})
	}
	if a, err := l.Admin("gateway", "/readyz"); err != nil || a.Status != http.StatusOK {
		t.Errorf("readiness: %v %d", err, a.Status)
	}
	l.eventually(t, "the record does not tell", func() bool {
		for _, d := range all {
			if tries := l.attempts(t, d.ID); len(tries) > 0 {
				return tries[0].Client == "demo-clinic" && strings.HasPrefix(tries[0].Outcome, "fhir-")
			}
		}
		return false
	})
	if !strings.Contains(l.Logs(), "the FHIR server takes no certificates") {
		t.Error("the log does not tell")
	}
	l.fhir.peer.Up()
	l.arrive(t, all...)
}

// answersLost: each step is done, and the answer is an error.
func (l *landscape) answersLost(t *testing.T) {
	t.Helper()
	var all []delivery
	for step, id := range []string{"-FOLDER", "-REGISTER", "-STORE"} {
		id = hcid(t) + id
		if step > 0 { // it has a folder
			first := l.issue(t, id)
			l.arrive(t, first)
		}
		to := []func(request) bool{transacts(id), transacts(id), stores(id)}[step]
		failed := l.deliveries(t, "failed")
		met, undo := l.fhir.change(to, lost(fhirAnswer(http.StatusInternalServerError, poisonedOutcome)))
		d := l.issue(t, id, dose(2))
		l.met(t, id, met)
		l.eventually(t, "the lost answer does not count as failed", func() bool { return l.deliveries(t, "failed") > failed })
		undo()
		all = append(all, d)
	}
	l.arrive(t, all...)
}

// refusedForGood: a registration that the server refuses is counted, logged and recorded; once
// the server is mended an operator has it repeated.
func (l *landscape) refusedForGood(t *testing.T) {
	t.Helper()
	id := hcid(t) + "-REFUSED"
	refusals := max(l.deliveries(t, "refused"), 0)
	_, undo := l.fhir.change(transacts(id), instead(fhirAnswer(http.StatusUnprocessableEntity, poisonedOutcome)))
	defer undo()
	d := l.issue(t, id)
	l.eventually(t, "the refusal is not counted", func() bool { return l.deliveries(t, "refused") == refusals+1 })
	l.eventually(t, "the log does not name the certificate", func() bool { return strings.Contains(l.Logs(), `"certificate":"`+d.ID+`"`) })
	if l.stored(d.ID) != nil {
		t.Error("the refused certificate is there")
	}
	var tries []recorded
	l.eventually(t, "the refusal is not recorded", func() bool {
		tries = l.attempts(t, d.ID)
		return len(tries) > 0
	})
	if tries[0].Outcome != "fhir-rule" {
		t.Errorf("recorded as %+v", tries[0])
	}
	undo()
	if a := l.operator(t, http.MethodPost, "/transactions/"+tries[0].ID+"/legs/2/$replay"); a.Status != http.StatusOK && a.Status != http.StatusAccepted {
		t.Errorf("the repetition: %d %s", a.Status, a.Body)
	}
	l.arrive(t, d)
}
