package defects

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// metric reads a metric of deliveries, 0 while it is not there.
func (l *landscape) metric(t *testing.T, name string) float64 {
	t.Helper()
	a, err := l.Admin("gateway", "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(a.Body)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// deliveries counts those with an outcome: delivered, failed or refused.
func (l *landscape) deliveries(t *testing.T, outcome string) int {
	t.Helper()
	return int(l.metric(t, fmt.Sprintf(`ddcc_deliveries_total{outcome=%q,server=%q}`, outcome, serverName)))
}

// settle waits until nothing waits, and for long enough that the outbox was looked at meanwhile.
func (l *landscape) settle(t *testing.T) {
	t.Helper()
	since, last := time.Now(), -1
	l.eventually(t, "the outbox does not get empty", func() bool {
		n := l.deliveries(t, "delivered")
		if n != last || l.metric(t, `ddcc_delivery_waiting{server="`+serverName+`"}`) > 0 {
			since, last = time.Now(), n
		}
		return time.Since(since) > 3*fhirPoll
	})
}

// operator asks the record of transactions.
func (l *landscape) operator(t *testing.T, method, path string) harness.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, l.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second / 10) // each has ten requests a second
	a, err := harness.Do(l.operators, req)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// recorded is a transaction as the record shows it.
type recorded struct {
	ID, Outcome, Client, Route string
	Certificates               []string
}

// attempts are the recorded deliveries of a certificate that failed.
func (l *landscape) attempts(t *testing.T, certificate string) []recorded {
	t.Helper()
	a := l.operator(t, http.MethodGet, "/transactions?route=delivery&certificate="+certificate)
	var page struct{ Transactions []recorded }
	if err := json.Unmarshal(a.Body, &page); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%v, %d: %s", err, a.Status, a.Body)
	}
	return page.Transactions
}

// certificates are all that the record knows of.
func (l *landscape) certificates(t *testing.T) []string {
	t.Helper()
	var all []string
	for cursor := ""; ; {
		a := l.operator(t, http.MethodGet, "/transactions?_count=100"+cursor)
		var page struct {
			Transactions []recorded
			Next         string
		}
		if err := json.Unmarshal(a.Body, &page); err != nil || a.Status != http.StatusOK {
			t.Fatalf("%v, %d: %s", err, a.Status, a.Body)
		}
		for _, one := range page.Transactions {
			all = append(all, one.Certificates...)
		}
		if page.Next == "" {
			slices.Sort(all)
			return slices.Compact(all)
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
}
