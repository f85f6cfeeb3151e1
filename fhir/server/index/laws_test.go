package index_test

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
)

var ops = []search.Op{
	search.OpEqual, search.OpNotEqual, search.OpGreater, search.OpLess, search.OpAtLeast, search.OpAtMost, search.OpAfter, search.OpBefore, search.OpAbout,
}

// instants are those of [from, to).
func instants(from, to int) []int {
	var all []int
	for i := from; i < to; i++ {
		all = append(all, i)
	}
	return all
}

// means says by looking at each instant whether a target is as a search says: the words of
// FHIR R4 search, prefixes, for ge and le with overlap as docs/fhir-search.md has it.
func means(op search.Op, target, asked []int) bool {
	first, last := asked[0], asked[len(asked)-1]
	some := func(is func(int) bool) bool { return slices.ContainsFunc(target, is) }
	within := func(i int) bool { return i >= first && i <= last }
	above := func(i int) bool { return i > last }
	below := func(i int) bool { return i < first }
	switch op {
	case search.OpEqual:
		return all(target, within)
	case search.OpNotEqual:
		return !all(target, within)
	case search.OpGreater:
		return some(above)
	case search.OpLess:
		return some(below)
	case search.OpAtLeast:
		return some(above) || some(within)
	case search.OpAtMost:
		return some(below) || some(within)
	case search.OpAfter:
		return all(target, above)
	case search.OpBefore:
		return all(target, below)
	default:
		return some(within)
	}
}

// TestPrefixesOfTimesMeanWhatTheySay: every pair of ranges on a short line, every prefix.
func TestPrefixesOfTimesMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	const end = 7
	db := open(t).db
	for _, op := range ops {
		for from := range end {
			for to := from + 1; to <= end; to++ {
				text, args := index.Holds(search.KindDate, search.Match{Op: op, From: int64(from), To: int64(to)})
				for lo := range end {
					for hi := lo + 1; hi <= end; hi++ {
						if got, want := holds(t, db, text, args, lo, hi), means(op, instants(lo, hi), instants(from, to)); got != want {
							t.Fatalf("[%d,%d) %s [%d,%d) is %v", lo, hi, op, from, to, got)
						}
					}
				}
			}
		}
	}
}

// TestPrefixesOfNumbersMeanWhatTheySay: single values around a number with its precision; with
// a prefix of order the precision does not count.
func TestPrefixesOfNumbersMeanWhatTheySay(t *testing.T) {
	t.Parallel()
	db := open(t).db
	const value, low, high = 50, 45, 55
	for _, op := range ops {
		text, args := index.Holds(search.KindNumber, search.Match{Op: op, Value: value, Low: low, High: high, AnySystem: true, AnyCode: true})
		for n := 40; n <= 60; n++ {
			want := map[search.Op]bool{
				search.OpEqual: n >= low && n < high, search.OpNotEqual: n < low || n >= high, search.OpGreater: n > value, search.OpLess: n < value,
				search.OpAtLeast: n >= value, search.OpAtMost: n <= value, search.OpAfter: n > value, search.OpBefore: n < value, search.OpAbout: n >= low && n <= high,
			}[op]
			if got := holds(t, db, text, args, n, n); got != want {
				t.Errorf("%d %s %d is %v", n, op, value, got)
			}
		}
	}
}

func holds(t *testing.T, db *sql.DB, text string, args []any, lo, hi int) bool {
	t.Helper()
	var holds bool
	query := "SELECT " + text + " FROM (SELECT ? AS lo, ? AS hi) v"
	if err := db.QueryRow(query, append(slices.Clone(args), lo, hi)...).Scan(&holds); err != nil {
		t.Fatal(err)
	}
	return holds
}
