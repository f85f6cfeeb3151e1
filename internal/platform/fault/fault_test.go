package fault

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var errModel = New(Conflict, "taken", "Somebody has it.")

func TestCopiesKeepTheModel(t *testing.T) {
	t.Parallel()
	cause := errors.New("secret detail")
	f := errModel.Because(cause).With(Issue{Path: "a"}).Retry(time.Second).With(Issue{Path: "b"})
	if errModel.cause != nil || len(errModel.Issues) != 0 || errModel.RetryAfter != 0 {
		t.Fatal("the model was changed")
	}
	if !errors.Is(f, errModel) || !errors.Is(f, cause) || len(f.Issues) != 2 || f.RetryAfter != time.Second {
		t.Errorf("%+v", f)
	}
	if errors.Is(f, New(Conflict, "other", "")) || errors.Is(f, New(Rule, "taken", "")) {
		t.Error("matches another fault")
	}
	if !strings.Contains(f.Error(), "secret detail") || strings.Contains(f.Detail, "secret") {
		t.Error("the cause belongs into Error and not into Detail")
	}
}

func TestFrom(t *testing.T) {
	t.Parallel()
	if From(nil) != nil {
		t.Error("no error is a fault")
	}
	wrapped := fmt.Errorf("context: %w", errModel)
	if f := From(wrapped); f.Kind != Conflict || f.Code != "taken" {
		t.Errorf("wrapped: %+v", f)
	}
	unknown := errors.New("dial tcp 10.0.0.1: refused")
	if f := From(unknown); f.Kind != Internal || strings.Contains(f.Detail, "10.0.0.1") || !errors.Is(f, unknown) {
		t.Errorf("unknown: %+v", f)
	}
	if KindOf(unknown) != Internal || KindOf(wrapped) != Conflict {
		t.Error("KindOf")
	}
}

func TestHasErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		issues []Issue
		want   bool
	}{
		{nil, false},
		{[]Issue{{Severity: SeverityWarning}, {Severity: SeverityInformation}}, false},
		{[]Issue{{Severity: SeverityWarning}, {}}, true},
		{[]Issue{{Severity: SeverityError}}, true},
	} {
		if HasErrors(tc.issues) != tc.want {
			t.Errorf("%+v", tc.issues)
		}
	}
}
