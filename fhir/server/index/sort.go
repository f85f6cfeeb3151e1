package index

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// keys writes the columns k0, k1, … that the order looks at. A resource with several values
// counts by its least in an ascending order and by its greatest in a descending one.
func (s *statement) keys(sort []search.SortKey) {
	for i, key := range sort {
		s.add(", ")
		switch key.Param {
		case "_id":
			s.add("r.id")
		case "_lastUpdated":
			s.add("r.updated")
		default:
			t := tables[key.Kind]
			column := t.sortAsc
			if key.Descending {
				column = t.sortDsc
			}
			s.add("(SELECT "+column+" FROM "+t.name+" WHERE res = r.rowid AND param = ?)", key.Param)
		}
		s.add(" AS k" + strconv.Itoa(i))
	}
}

// order writes the keys, resources without a value last, and the rowid to make it total.
func (s *statement) order(sort []search.SortKey) {
	for i, key := range sort {
		k := "k" + strconv.Itoa(i)
		s.add(k + " IS NULL, " + k)
		if key.Descending {
			s.add(" DESC")
		}
		s.add(", ")
	}
	s.add("rowid")
}

// after writes that a resource comes after the place of the cursor. Without an order the
// rowid alone decides, whatever became of the resource at that place; with one its keys are
// needed as they were.
func (s *statement) after(ctx context.Context, db Querier, q search.Query) error {
	if q.Cursor == "" {
		s.add("1")
		return nil
	}
	at, err := readCursor(q)
	if err != nil {
		return err
	}
	var keys []any
	if len(q.Sort) > 0 {
		if keys, err = keysAt(ctx, db, q.Sort, at); err != nil {
			return err
		}
	}
	s.later(q.Sort, keys, 0, at.rowid)
	return nil
}

// keysAt are the keys of the resource at a place, if it has not changed since.
func keysAt(ctx context.Context, db Querier, sort []search.SortKey, at place) ([]any, error) {
	var s statement
	s.add("SELECT r.rowid")
	s.keys(sort)
	s.add(" FROM resources r WHERE r.rowid = ? AND r.version = ? AND r.deleted = 0", at.rowid, at.version)
	keys := make([]any, len(sort))
	dest := []any{new(int64)}
	for i := range keys {
		dest = append(dest, &keys[i])
	}
	err := db.QueryRowContext(ctx, s.text.String(), s.args...).Scan(dest...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrPageGone
	case err != nil:
		return nil, fmt.Errorf("index: find the place of a page: %w", err)
	}
	return keys, nil
}

// later writes the lexicographic order of the keys from the i-th on.
func (s *statement) later(sort []search.SortKey, keys []any, i int, rowid int64) {
	if i == len(sort) {
		s.add("rowid > ?", rowid)
		return
	}
	k := "k" + strconv.Itoa(i)
	if keys[i] == nil { // nothing comes after those without a value
		s.add("(" + k + " IS NULL AND ")
		s.later(sort, keys, i+1, rowid)
		s.add(")")
		return
	}
	comparison := " > ?"
	if sort[i].Descending {
		comparison = " < ?"
	}
	s.add("("+k+" IS NULL OR "+k+comparison+" OR ("+k+" = ? AND ", keys[i], keys[i])
	s.later(sort, keys, i+1, rowid)
	s.add("))")
}

// list writes rowids into SQL; they are numbers of our own.
func list(rowids []int64) string {
	texts := make([]string, len(rowids))
	for i, id := range rowids {
		texts[i] = strconv.FormatInt(id, 10)
	}
	return "(" + strings.Join(texts, ",") + ")"
}
