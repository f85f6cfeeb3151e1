package index

import (
	"context"
	"fmt"
	"strconv"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// Limits of what a page includes.
const (
	MaxIncluded = 1000 // resources
	maxRounds   = 4    // of :iterate
)

// links are the references that can be followed: to a resource of the own server by type and
// id, and to a canonical resource by its URL, and by its version if one is given.
const (
	byID = "SELECT f.res AS res, t.rowid AS target FROM search_reference f" +
		" JOIN resources t ON t.id = f.target_id AND t.type = f.target_type WHERE t.deleted = 0"
	byURL = "SELECT f.res AS res, t.rowid AS target FROM search_reference f" +
		" JOIN search_uri u ON u.param = 'url' AND u.text = f.url AND u.res <> f.res" +
		" JOIN resources t ON t.rowid = u.res WHERE t.deleted = 0 AND f.url <> '' AND (f.version = ''" +
		" OR EXISTS (SELECT 1 FROM search_token k WHERE k.res = t.rowid AND k.param = 'version' AND k.code = f.version))"
)

// include collects what _include and _revinclude bring along, each resource once.
func include(ctx context.Context, db Querier, q search.Query, matches []Hit) ([]Hit, bool, error) {
	c := collector{ctx: ctx, db: db, base: q.Base, seen: map[int64]bool{}}
	var frontier []int64
	for _, m := range matches {
		frontier = append(frontier, m.RowID)
		c.seen[m.RowID] = true
	}
	for round := 0; round < maxRounds && len(frontier) > 0 && !c.truncated; round++ {
		before := len(c.found)
		for _, i := range q.Include {
			c.follow(i, frontier, round, false)
		}
		for _, i := range q.RevInclude {
			c.follow(i, frontier, round, true)
		}
		frontier = c.found[before:]
	}
	hits := make([]Hit, len(c.found))
	for i, rowid := range c.found {
		hits[i] = Hit{rowid, ModeInclude}
	}
	return hits, c.truncated, c.err
}

type collector struct {
	ctx       context.Context
	db        Querier
	base      string
	seen      map[int64]bool
	found     []int64
	truncated bool
	err       error
}

// follow adds what the frontier refers to, or what refers to it. After the first round only
// an include that iterates goes on.
func (c *collector) follow(i search.Include, frontier []int64, round int, reverse bool) {
	if c.err != nil || len(frontier) == 0 || round > 0 && !i.Iterate {
		return
	}
	s := statement{base: c.base}
	from, to := "res", "target"
	if reverse {
		from, to = to, from
	}
	s.add("SELECT " + to + " FROM (")
	s.link(i, byID, true)
	s.add(" UNION ")
	s.link(i, byURL, false)
	s.add(") WHERE " + from + " IN " + list(frontier) + " AND " + to + " NOT IN " + list(c.known()))
	s.add(" GROUP BY " + to + " ORDER BY " + to + " LIMIT " + strconv.Itoa(MaxIncluded-len(c.found)+1))
	c.collect(&s)
}

// link narrows links to what the include names. The one that refers is not a deleted one:
// its values are removed with it.
func (s *statement) link(i search.Include, links string, local bool) {
	s.add(links)
	if local {
		s.add(" AND ")
		s.local("f")
	}
	if i.Source != "" {
		s.add(" AND f.type = ?", i.Source)
	}
	if i.Param != "" {
		s.add(" AND f.param = ?", i.Param)
	}
	if i.Target != "" {
		s.add(" AND t.type = ?", i.Target)
	}
}

func (c *collector) known() []int64 {
	known := make([]int64, 0, len(c.seen))
	for rowid := range c.seen {
		known = append(known, rowid)
	}
	return known
}

func (c *collector) collect(s *statement) {
	rows, err := c.db.QueryContext(c.ctx, s.text.String(), s.args...)
	if err != nil {
		c.err = fmt.Errorf("index: include: %w", err)
		return
	}
	defer func() { _ = rows.Close() }() // what matters is in rows.Err
	for rows.Next() {
		var rowid int64
		if err := rows.Scan(&rowid); err != nil {
			c.err = fmt.Errorf("index: include: %w", err)
			return
		}
		if len(c.found) == MaxIncluded {
			c.truncated = true
			return
		}
		c.seen[rowid] = true
		c.found = append(c.found, rowid)
	}
	if err := rows.Err(); err != nil {
		c.err = fmt.Errorf("index: include: %w", err)
	}
}
