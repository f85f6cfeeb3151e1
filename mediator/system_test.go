package mediator_test

import (
	"context"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

var agreed = registered(mediator.Completion{Authority: "moh", Country: "CHE", HCIDSystem: "urn:hcid"})

// TestTransactionAnswersEachEntryInItsPlace: events are certified, the rest was read.
func TestTransactionAnswersEachEntryInItsPlace(t *testing.T) {
	t.Parallel()
	f := &fakeIssuance{}
	kind, results, err := newMediator(t, f).System(context.Background(), agreed, []byte(care), mediator.Options{IdempotencyKey: "k"})
	if err != nil || kind != mediator.TypeTransaction || len(results) != 2 {
		t.Fatalf("%s, %d results, %v", kind, len(results), err)
	}
	if !results[0].Read || results[1].Read || results[1].ID != "H-9" || f.last.Load().IdempotencyKey != "k/0" {
		t.Errorf("%+v", results)
	}
}

func TestTransactionIsAllOrNothing(t *testing.T) {
	t.Parallel()
	second := strings.Replace(care, `}]}}]}`, `}]}},{"resource":{"resourceType":"Immunization","status":"completed","patient":{"reference":"Patient/7"}}}]}`, 1)
	f := &fakeIssuance{}
	_, _, err := newMediator(t, f).System(context.Background(), agreed, []byte(second), mediator.Options{})
	if fault.KindOf(err) != fault.Rule || f.calls.Load() != 0 {
		t.Errorf("%v, %d issued", err, f.calls.Load())
	}
}

func TestSystemTakesBatchAndTransactionAlone(t *testing.T) {
	t.Parallel()
	m := newMediator(t, &fakeIssuance{})
	kind, results, err := m.System(context.Background(), clinic, batch(3, entry), mediator.Options{})
	if err != nil || kind != mediator.TypeBatch || len(results) != 3 {
		t.Errorf("%s, %d results, %v", kind, len(results), err)
	}
	for name, raw := range map[string]string{
		"a collection": strings.Replace(care, "transaction", "collection", 1),
		"an event":     event,
		"nothing":      `{"resourceType":"Bundle","type":"batch"}`,
		"no JSON":      `{`,
	} {
		if _, _, err := m.System(context.Background(), clinic, []byte(raw), mediator.Options{}); fault.KindOf(err) != fault.Malformed {
			t.Errorf("%s: %v", name, err)
		}
	}
	large := `{"resourceType":"Bundle","type":"transaction","entry":[` + strings.TrimSuffix(strings.Repeat(`{"resource":{"resourceType":"Patient"}},`, 51), ",") + `]}`
	if _, _, err := m.System(context.Background(), clinic, []byte(large), mediator.Options{}); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("51 entries where 50 are allowed: %v", err)
	}
}
