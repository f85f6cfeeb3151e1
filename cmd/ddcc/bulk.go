package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"sync"

	"github.com/trustedparty/ddcc-gateway/fhir"
	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
)

// bulkResult is what became of one line, and a line of the results or errors file.
type bulkResult struct {
	Line    int             `json:"line"`
	Status  int             `json:"status"`
	ID      string          `json:"id,omitempty"` // of the document
	Outcome json.RawMessage `json:"outcome,omitempty"`

	document []byte
	err      error // the line has no result, as the gateway cannot be reached
}

func (r bulkResult) failed() bool { return r.Status >= http.StatusMultipleChoices }

// bulkIssue sends the events of a file one by one, several at a time.
type bulkIssue struct {
	issuer  *issuer
	route   string
	dry     bool // the route answers with findings
	workers int
	patient *patience
}

// run gives a result for each record to sink, in the order of the file, and holds no more
// than a few for each worker. It ends at the first record without a result.
func (b bulkIssue) run(ctx context.Context, lines tabular.Reader, sink func(bulkResult) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work := make(chan bulkWork)
	order := make(chan bulkWork, 4*b.workers) // bounds what is finished and not written yet
	var wait sync.WaitGroup
	for range b.workers {
		wait.Go(func() {
			for w := range work {
				w.result <- b.issue(ctx, w.record)
			}
		})
	}
	var unread error
	wait.Go(func() {
		unread = distribute(ctx, lines, work, order)
		close(work)
		close(order)
	})
	err := collect(order, sink)
	cancel()
	for range order {
		continue // lets the distributor end
	}
	wait.Wait()
	if err != nil {
		return err
	}
	return unread
}

type bulkWork struct {
	record tabular.Record
	result chan bulkResult // room for one
}

// distribute hands the records out, and their places in the order of the file.
func distribute(ctx context.Context, lines tabular.Reader, work, order chan<- bulkWork) error {
	for {
		record, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return usage("the file: %s", reasonOf(err))
		}
		w := bulkWork{record, make(chan bulkResult, 1)}
		select {
		case order <- w:
		case <-ctx.Done():
			return interrupted(ctx)
		}
		select {
		case work <- w:
		case <-ctx.Done(): // its place in the order is taken; somebody may wait for it
			w.result <- bulkResult{err: interrupted(ctx)}
			return interrupted(ctx)
		}
	}
}

func collect(order <-chan bulkWork, sink func(bulkResult) error) error {
	for w := range order {
		r := <-w.result
		if r.err != nil {
			return r.err
		}
		if err := sink(r); err != nil {
			return err
		}
	}
	return nil
}

// issue has one event certified. What is temporary is tried again.
func (b bulkIssue) issue(ctx context.Context, record tabular.Record) bulkResult {
	r := bulkResult{Line: record.Line}
	if len(record.Issues) > 0 {
		r.Status, r.Outcome = http.StatusBadRequest, fhir.Outcome(record.Issues)
		return r
	}
	for attempt := 0; ; attempt++ {
		a, err := b.issuer.post(ctx, b.route, record.Resource)
		if err == nil && !temporary(a.status) {
			b.patient.heard()
			if b.dry {
				return r.examined(a)
			}
			return r.of(a)
		}
		if err == nil {
			err = fmt.Errorf("the gateway answers %d", a.status)
		}
		if err = b.patient.wait(ctx, attempt, a.header.Get("Retry-After"), err); err != nil {
			r.err = err
			return r
		}
	}
}

func (r bulkResult) of(a answer) bulkResult {
	r.Status = a.status
	if r.failed() {
		r.Outcome = json.RawMessage(a.body)
		if !json.Valid(a.body) {
			r.Outcome = nil
		}
		return r
	}
	r.ID, r.document = path.Base(a.header.Get("Location")), a.body
	return r
}

// examined is the result of a dry run: its findings, a failure if one is an error.
func (r bulkResult) examined(a answer) bulkResult {
	r = r.of(a)
	r.ID, r.document, r.Outcome = "", nil, a.body
	var findings struct{ Issue []struct{ Severity string } }
	if err := json.Unmarshal(a.body, &findings); err != nil {
		r.Outcome = nil
	}
	for _, f := range findings.Issue {
		if f.Severity == "error" && !r.failed() {
			r.Status = http.StatusUnprocessableEntity
		}
	}
	return r
}
