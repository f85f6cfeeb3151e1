package store

import (
	"context"
	"strings"
	"time"
)

// Range chooses versions for a history: of one resource, of a type, or all.
type Range struct {
	Type, ID string    // empty: all
	Since    time.Time // only versions made at or after; zero: all
	Before   int64     // only versions with a smaller Seq; 0: all
	Limit    int
}

// History gives the versions of a range, the newest first.
func (t *Tx) History(ctx context.Context, r Range) ([]Version, error) {
	where, args := r.where()
	// Each half is read backwards along its index, so that the limit bounds the work.
	//nolint:gosec // the parts are constants of this package
	query := `SELECT * FROM (SELECT rowid AS resource,` + columns + `FROM resources` + where + ` ORDER BY seq DESC LIMIT ?) UNION ALL ` +
		`SELECT * FROM (SELECT resource,` + columns + `FROM history` + where + ` ORDER BY seq DESC LIMIT ?) ORDER BY seq DESC LIMIT ?`
	half := append(args, r.Limit)
	rows, err := t.tx.QueryContext(ctx, query, append(append(half, half...), r.Limit)...)
	if err != nil {
		return nil, unavailable("read", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Version
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, unavailable("read", err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable("read", err)
	}
	return out, nil
}

// Count gives the number of versions of a range, whatever Before and Limit say.
func (t *Tx) Count(ctx context.Context, r Range) (int, error) {
	r.Before = 0
	where, args := r.where()
	var n int
	query := `SELECT (SELECT count(*) FROM resources` + where + `) + (SELECT count(*) FROM history` + where + `)`
	if err := t.tx.QueryRowContext(ctx, query, append(args, args...)...).Scan(&n); err != nil {
		return 0, unavailable("read", err)
	}
	return n, nil
}

// where is the condition of the range, the same for both tables.
func (r Range) where() (string, []any) {
	var conditions []string
	var args []any
	add := func(condition string, value any) {
		conditions, args = append(conditions, condition), append(args, value)
	}
	if r.Type != "" {
		add(`type = ?`, r.Type)
	}
	if r.ID != "" {
		add(`id = ?`, r.ID)
	}
	if !r.Since.IsZero() {
		add(`updated >= ?`, r.Since.UnixMilli())
	}
	if r.Before > 0 {
		add(`seq < ?`, r.Before)
	}
	if len(conditions) == 0 {
		return "", nil
	}
	return ` WHERE ` + strings.Join(conditions, ` AND `), args
}
