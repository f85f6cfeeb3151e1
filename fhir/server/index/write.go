package index

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// referenceKey orders references by what they name, wherever that is.
const referenceKey = "CASE target_id WHEN '' THEN url ELSE target_type || '/' || target_id END"

var tables = map[search.Kind]table{
	search.KindToken:     {"search_token", []string{"system", "code"}, "min(code)", "max(code)"},
	search.KindReference: {"search_reference", []string{"target_type", "target_id", "url", "version"}, "min(" + referenceKey + ")", "max(" + referenceKey + ")"},
	search.KindString:    {"search_string", []string{"folded", "text"}, "min(folded)", "max(folded)"},
	search.KindDate:      {"search_date", []string{"lo", "hi"}, "min(lo)", "max(lo)"},
	search.KindQuantity:  {"search_quantity", []string{"lo", "hi", "system", "code", "unit"}, "min(lo)", "max(hi)"},
	search.KindNumber:    {"search_quantity", []string{"lo", "hi", "system", "code", "unit"}, "min(lo)", "max(hi)"},
	search.KindURI:       {"search_uri", []string{"text"}, "min(text)", "max(text)"},
}

// names are the tables, each once.
var names = []string{"search_token", "search_reference", "search_string", "search_date", "search_quantity", "search_uri"}

// columnsOf are the values of a table's own columns.
func columnsOf(v search.Value) []any {
	switch v.Kind {
	case search.KindToken:
		return []any{v.System, v.Code}
	case search.KindReference:
		return []any{v.TargetType, v.TargetID, v.URL, v.Version}
	case search.KindString:
		return []any{v.Folded, v.Text}
	case search.KindDate:
		return []any{v.From, v.To}
	case search.KindURI:
		return []any{v.Text}
	default:
		return []any{v.Low, v.High, v.System, v.Code, v.Text}
	}
}

// maxRows bounds one INSERT; SQLite takes 32,766 bound values.
const maxRows = 100

// Write replaces the values of the resource with that rowid.
func Write(ctx context.Context, tx *sql.Tx, rowid int64, values []search.Value) error {
	if err := Remove(ctx, tx, rowid); err != nil {
		return err
	}
	byTable := map[string][]search.Value{}
	for _, v := range values {
		t, known := tables[v.Kind]
		if !known {
			return fmt.Errorf("index: no table for values of kind %q", v.Kind)
		}
		byTable[t.name] = append(byTable[t.name], v)
	}
	for _, name := range names {
		for rest := byTable[name]; len(rest) > 0; {
			n := min(len(rest), maxRows)
			if err := insert(ctx, tx, rowid, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}

// insert writes rows of one table.
func insert(ctx context.Context, tx *sql.Tx, rowid int64, values []search.Value) error {
	t := tables[values[0].Kind]
	s := statement{args: make([]any, 0, len(values)*(4+len(t.columns)))}
	s.add("INSERT INTO " + t.name + " (res,type,param,grp," + strings.Join(t.columns, ",") + ") VALUES ")
	for i, v := range values {
		if i > 0 {
			s.add(",")
		}
		s.add("(?,?,?,?"+strings.Repeat(",?", len(t.columns))+")", rowid, v.Type, v.Param, v.Group)
		s.args = append(s.args, columnsOf(v)...)
	}
	if _, err := tx.ExecContext(ctx, s.text.String(), s.args...); err != nil {
		return fmt.Errorf("index: write %s: %w", t.name, err)
	}
	return nil
}

// Remove deletes the values of the resource with that rowid.
func Remove(ctx context.Context, tx *sql.Tx, rowid int64) error {
	for _, name := range names {
		var s statement
		s.add("DELETE FROM "+name+" WHERE res = ?", rowid)
		if _, err := tx.ExecContext(ctx, s.text.String(), s.args...); err != nil {
			return fmt.Errorf("index: remove from %s: %w", name, err)
		}
	}
	return nil
}
