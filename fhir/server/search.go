package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// Bounds of a page.
const (
	defaultCount = 50
	maxCount     = 500
)

// searching gives the options of a search in a request.
func (s *Server) searching(base string, strict bool) search.Options {
	return search.Options{Strict: strict, Base: base, Now: s.clock(), DefaultCount: defaultCount, MaxCount: maxCount}
}

// matches gives the resources that criteria mean, two of them at most: more than one is
// all that matters. An unknown parameter is an error here: without it the criteria would
// mean others.
func (s *Server) matches(ctx context.Context, tx *store.Tx, base, typ string, criteria url.Values) ([]store.Version, error) {
	q, _, err := search.Parse(typ, criteria, s.searching(base, true))
	if err != nil {
		return nil, err
	}
	if len(q.Where) == 0 {
		return nil, errCriteria
	}
	q.Count, q.Total, q.CountOnly, q.Sort, q.Include, q.RevInclude = 2, false, false, nil, nil, nil
	page, err := index.Find(ctx, tx.SQL(), q)
	if err != nil {
		return nil, engine(err)
	}
	return load(ctx, tx, page.Matches)
}

// engine marks a failure of the index that is no fault as one of the store.
func engine(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// load reads the versions of hits.
func load(ctx context.Context, tx *store.Tx, hits []index.Hit) ([]store.Version, error) {
	out := make([]store.Version, 0, len(hits))
	for _, hit := range hits {
		v, found, err := tx.ByRowID(ctx, hit.RowID)
		if err != nil {
			return nil, err
		}
		if found {
			out = append(out, v)
		}
	}
	return out, nil
}

// search answers a search of a type or of the system with a searchset.
func (s *Server) search(ctx context.Context, tx *store.Tx, r request) (result, error) {
	q, issues, err := search.Parse(r.target.typ, r.target.query, s.searching(r.base, r.prefer.strict))
	if err != nil {
		return result{}, err
	}
	page, err := index.Find(ctx, tx.SQL(), q)
	if err != nil {
		return result{}, engine(err)
	}
	versions, err := load(ctx, tx, page.Matches)
	if err != nil {
		return result{}, err
	}
	address := strings.TrimSuffix(r.base+"/"+r.target.typ, "/")
	b := newBundle("searchset", s.newID(), s.clock())
	b.total = page.Total
	b.link("self", address, q.Self())
	if page.Next != "" {
		b.link("next", address, q.At(page.Next))
	}
	for i, v := range versions {
		if err := b.found(r.base, v, string(page.Matches[i].Mode), view{q.Summary, q.Elements}); err != nil {
			return result{}, err
		}
	}
	if page.Truncated {
		issues = append(issues, fault.Issue{Severity: fault.SeverityWarning, Rule: "search-limit",
			Detail: "There is more to include than fits.", Fix: "Ask for fewer matches with _count, or include less."})
	}
	b.outcome(s.newID(), issues)
	return result{status: http.StatusOK, body: b.bytes(), typ: "Bundle"}, nil
}
