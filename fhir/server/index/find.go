package index

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// Querier is a database or a transaction on it.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Mode says why a resource is in the answer, in the words of Bundle.entry.search.mode.
type Mode string

// The modes of a hit.
const (
	ModeMatch   Mode = "match"
	ModeInclude Mode = "include"
)

// Hit is one resource of the answer.
type Hit struct {
	RowID int64
	Mode  Mode
}

// Page is one page of an answer: the matches in their order, then what is included.
type Page struct {
	Matches   []Hit
	Next      string // cursor of the next page, "" on the last
	Total     *int   // of all matches; nil if it was not wanted
	Truncated bool   // there was more to include than MaxIncluded
}

// Find answers a query. It fails with ErrCursor or ErrPageGone for a cursor that cannot be
// followed; any other error is the store's.
func Find(ctx context.Context, db Querier, q search.Query) (Page, error) {
	var page Page
	if q.Total || q.CountOnly {
		total, err := count(ctx, db, q)
		if err != nil {
			return Page{}, err
		}
		page.Total = &total
	}
	if q.CountOnly {
		return page, nil
	}
	matches, more, err := matches(ctx, db, q)
	if err != nil {
		return Page{}, err
	}
	for _, m := range matches {
		page.Matches = append(page.Matches, Hit{m.rowid, ModeMatch})
	}
	if more {
		page.Next = cursorOf(q, matches[len(matches)-1])
	}
	included, truncated, err := include(ctx, db, q, page.Matches)
	if err != nil {
		return Page{}, err
	}
	page.Matches, page.Truncated = append(page.Matches, included...), truncated
	return page, nil
}

func count(ctx context.Context, db Querier, q search.Query) (int, error) {
	s := statement{base: q.Base}
	s.add("SELECT count(*) FROM resources r WHERE ")
	s.matching(q, "r")
	var n int
	if err := db.QueryRowContext(ctx, s.text.String(), s.args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("index: count: %w", err)
	}
	return n, nil
}

// matches reads one page, and whether there is another.
func matches(ctx context.Context, db Querier, q search.Query) ([]place, bool, error) {
	s := statement{base: q.Base}
	s.add("SELECT rowid, version FROM (SELECT r.rowid AS rowid, r.version AS version")
	s.keys(q.Sort)
	s.add(" FROM resources r WHERE ")
	s.matching(q, "r")
	s.add(") WHERE ")
	if err := s.after(ctx, db, q); err != nil {
		return nil, false, err
	}
	s.add(" ORDER BY ")
	s.order(q.Sort)
	s.add(" LIMIT " + strconv.Itoa(q.Count+1))
	found, err := places(ctx, db, &s)
	if err != nil || len(found) <= q.Count {
		return found, false, err
	}
	return found[:q.Count], q.Count > 0, nil
}

// place is a resource as it was when the page was made.
type place struct{ rowid, version int64 }

func places(ctx context.Context, db Querier, s *statement) ([]place, error) {
	rows, err := db.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return nil, fmt.Errorf("index: find: %w", err)
	}
	defer func() { _ = rows.Close() }() // what matters is in rows.Err
	var found []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.rowid, &p.version); err != nil {
			return nil, fmt.Errorf("index: find: %w", err)
		}
		found = append(found, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("index: find: %w", err)
	}
	return found, nil
}
