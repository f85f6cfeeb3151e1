package bulk

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// lines certifies the lines of a chunk, several at a time, in whatever order.
func (s *Service) lines(ctx context.Context, j Job, lines []line) ([]Result, error) {
	by, ok := s.Issuers.ByID(j.Issuer)
	out := make([]Result, len(lines))
	var group errgroup.Group
	group.SetLimit(chunkRecords)
	var first sync.Once
	var failed error
	for i, l := range lines {
		if !ok {
			out[i] = refused(l.Line, errNoIssuer)
			continue
		}
		group.Go(func() error {
			r, err := s.line(ctx, by, j, l)
			if err != nil {
				first.Do(func() { failed = err })
			}
			out[i] = r
			return nil
		})
	}
	_ = group.Wait() // lines report for themselves
	return out, failed
}

var errNoIssuer = fault.New(fault.Forbidden, "not-an-issuer", "The issuer of the job is not registered any more.")

// line certifies one line. Temporary failures are waited out; the error is that of ctx.
func (s *Service) line(ctx context.Context, by mediator.IssuerPolicy, j Job, l line) (Result, error) {
	if len(l.Issues) > 0 {
		return refused(l.Line, fault.New(fault.Malformed, "line", "The line cannot be read.").With(l.Issues...)), nil
	}
	for attempt := 0; ; attempt++ {
		out, err := s.generate(ctx, by, j, l)
		if err == nil {
			return Result{Line: l.Line, ID: out.ID, Folder: out.FolderID, Replayed: out.Replayed, Issues: placed(l.Line, out.Warnings)}, nil
		}
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		wait, temporary := patience(err, attempt)
		if !temporary {
			return refused(l.Line, err), nil
		}
		select {
		case <-ctx.Done():
			return Result{}, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// generate takes one of the places that all jobs share. Who waits, waits without one.
func (s *Service) generate(ctx context.Context, by mediator.IssuerPolicy, j Job, l line) (mediator.Generated, error) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	case <-ctx.Done():
		return mediator.Generated{}, ctx.Err()
	}
	return s.Generator.Generate(ctx, by, l.Resource, mediator.Options{Formats: j.Formats}, mediator.KindQuestionnaireResponse, mediator.KindBundle)
}

// Waits of a line that failed for the time being.
const (
	firstWait = 250 * time.Millisecond
	longest   = 30 * time.Second
	nonsense  = 5 // attempts with a peer that answers nonsense: that may be the line's fault
)

// patience says how long to wait after a failure, and whether waiting can help.
func patience(err error, attempt int) (time.Duration, bool) {
	f := fault.From(err)
	wait := min(firstWait<<min(attempt, 10), longest)
	switch f.Kind {
	case fault.TooMany, fault.Unavailable, fault.Timeout:
		return max(wait, f.RetryAfter), true
	case fault.Upstream, fault.Internal:
		return wait, attempt < nonsense
	}
	return 0, false
}

// refused is the result of a line without a certificate.
func refused(number int, err error) Result {
	f := fault.From(err)
	issues := f.Issues
	if len(issues) == 0 {
		issues = []fault.Issue{{Rule: f.Code, Detail: f.Detail}}
	}
	if f.Kind == fault.Internal {
		issues = []fault.Issue{{Rule: "internal", Detail: "The line could not be processed."}}
	}
	return Result{Line: number, Kind: f.Kind, Issues: placed(number, issues)}
}

// maxIssues bounds the findings that are kept of one line: those of a chunk are one document.
const maxIssues = 50

// placed says of findings which line they are about.
func placed(number int, issues []fault.Issue) []fault.Issue {
	issues = issues[:min(len(issues), maxIssues)]
	out := make([]fault.Issue, len(issues))
	for i, issue := range issues {
		issue.Path = strings.TrimSuffix(fmt.Sprintf("line(%d).%s", number, issue.Path), ".")
		out[i] = issue
	}
	return out
}
