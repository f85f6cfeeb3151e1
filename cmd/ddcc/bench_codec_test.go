package main

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/verification"
)

// The rows without processes, in rounds too short for a figure worth having. Not
// parallel: a row sets GOMAXPROCS.
func TestCodecRows(t *testing.T) {
	now := time.Now()
	events, err := newBenchEvents(now)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		streams:  streams{ctx: t.Context(), stderr: io.Discard},
		plan:     benchPlan{codecRounds: 2, codecRound: 5 * time.Millisecond, revocations: 20_000},
		progress: newBenchProgress(io.Discard, false),
		began:    now, events: events, dir: t.TempDir(),
	}
	cores := runtime.GOMAXPROCS(0)
	for _, row := range benchRows()[:14] {
		m, err := row.measure(b)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if v := m.value; v.Min <= 0 || v.Min > v.Median || v.Median > v.Max {
			t.Errorf("%s: %+v", row.name, v)
		}
		if row.name == "qr-image" && (len(m.live) != 2 || m.live[0].Value <= 0 || m.live[1].Value <= 0) {
			t.Errorf("%s: live references %v", row.name, m.live)
		}
	}
	if got := runtime.GOMAXPROCS(0); got != cores {
		t.Errorf("GOMAXPROCS is left at %d, was %d", got, cores)
	}
}

// What counts as measured must be right: a wrong certificate or picture is an error.
func TestBenchChecksRefuse(t *testing.T) {
	t.Parallel()
	content := map[string]any{"certificate": map[string]any{"hcid": "A"}}
	for name, test := range map[string]struct {
		result verification.Result
		hcid   string
		ok     bool
	}{
		"right":      {verification.Result{Valid: true, Content: content}, "A", true},
		"not valid":  {verification.Result{Reason: verification.ReasonBadSignature, Content: content}, "A", false},
		"another":    {verification.Result{Valid: true, Content: content}, "B", false},
		"no content": {verification.Result{Valid: true}, "A", false},
	} {
		if err := checkCertificate(test.result, test.hcid); (err == nil) != test.ok {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := readsBack(func(string) ([]byte, error) { return qrImage("HC1:ANOTHER") }, "HC1:THIS"); err == nil {
		t.Error("a picture of another text is accepted")
	}
	if err := readsBack(func(string) ([]byte, error) { return nil, errors.New("none") }, "HC1:THIS"); err == nil {
		t.Error("no picture is accepted")
	}
	if err := readsBack(qrImage, "HC1:THIS"); err != nil {
		t.Error(err)
	}
}
