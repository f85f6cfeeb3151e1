package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
	"github.com/trustedparty/ddcc-gateway/fhir/server/index"
	"github.com/trustedparty/ddcc-gateway/fhir/server/schema"
	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
)

// maxEverything bounds what one patient's record may have here.
const maxEverything = 10_000

// scope is what $everything is asked for.
type scope struct {
	types []string // empty: all
	since time.Time
	count int
	after int64 // rowid of the last resource of the page before
}

// everything is $everything of a patient: the patient, what is in the patient's
// compartment, and what those refer to. Pages follow the order in which the resources
// were first stored, behind the patient.
func (s *Server) everything(ctx context.Context, tx *store.Tx, r request) (result, error) {
	o, self, err := readScope(r)
	if err != nil {
		return result{}, err
	}
	patient, err := find(ctx, tx, target{typ: "Patient", id: r.target.id})
	if err != nil {
		return result{}, err
	}
	rows, err := s.record(ctx, tx, r, patient)
	if err != nil {
		return result{}, err
	}
	versions, total, err := o.page(ctx, tx, patient, rows)
	if err != nil {
		return result{}, err
	}
	b := newBundle("searchset", s.newID(), s.clock())
	b.total = &total
	address := r.base + "/Patient/" + patient.ID + "/$everything"
	b.link("self", address, self)
	if len(versions) > o.count {
		versions = versions[:o.count]
		b.next(address, self, versions[len(versions)-1].RowID)
	}
	for _, v := range versions {
		if err := b.found(r.base, v, string(index.ModeMatch), view{}); err != nil {
			return result{}, err
		}
	}
	return result{status: http.StatusOK, body: b.bytes(), typ: "Bundle"}, nil
}

// readScope reads the parameters; self is the query without what is ignored.
func readScope(r request) (scope, url.Values, error) {
	o := scope{count: maxCount}
	self := url.Values{}
	for name := range r.target.criteria() {
		value := r.target.query.Get(name)
		var err error
		switch name {
		case "_type":
			if o.types = strings.Split(value, ","); slices.ContainsFunc(o.types, func(t string) bool { return !schema.IsResource(t) }) {
				return o, nil, malformed(name, "search-value", "The value names no resource type of FHIR R4.", "Send names of types, separated by commas.")
			}
		case "_since":
			if o.since, err = time.Parse(time.RFC3339, value); err != nil {
				return o, nil, malformed(name, "search-value", "The value is no instant.", "Send one such as 2026-11-21T09:30:00Z.")
			}
		case "_count":
			n, err := strconv.ParseUint(value, 10, 31)
			if err != nil || n == 0 {
				return o, nil, malformed(name, "search-value", "The value is no number of resources.", "Send a whole number from 1.")
			}
			o.count = min(int(n), maxCount)
		case search.CursorParameter:
			if o.after, err = strconv.ParseInt(value, 10, 64); err != nil || o.after < 1 {
				return o, nil, malformed(name, "search-cursor", "The place of the page is none of this record.", "Follow the links of the answer as they are.")
			}
			continue
		default: // start and end among them: they are not supported, and leaving out what was asked for would hide it
			if r.prefer.strict || name == "start" || name == "end" {
				return o, nil, malformed("", "unknown-parameter", "$everything has no such parameter here.", "Use _type, _since and _count.")
			}
			continue
		}
		self.Set(name, value)
	}
	return o, self, nil
}

// record gives the rowids of a patient's record, sorted, without the patient.
func (s *Server) record(ctx context.Context, tx *store.Tx, r request, patient store.Version) ([]int64, error) {
	seen := map[int64]bool{patient.RowID: true}
	collect := func(typ, parameter string) error {
		q, _, err := search.Parse(typ, url.Values{parameter: {"Patient/" + patient.ID}, "_include": {"*"}}, s.searching(r.base, true))
		if err != nil {
			return err
		}
		q.Count, q.Total = maxEverything+1, false
		page, err := index.Find(ctx, tx.SQL(), q)
		if err != nil {
			return engine(err)
		}
		for _, hit := range page.Matches {
			seen[hit.RowID] = true
		}
		if len(seen) > maxEverything || page.Truncated {
			return refused("Patient", "record-size", "The record is larger than $everything can give.", "Search the types one by one.")
		}
		return nil
	}
	if err := s.behind(ctx, tx, r, patient, seen); err != nil {
		return nil, err
	}
	for _, typ := range schema.Resources() {
		for _, parameter := range schema.PatientCompartment(typ) {
			if p, ok := search.Lookup(typ, parameter); !ok || p.Kind != search.KindReference {
				continue
			}
			if err := collect(typ, parameter); err != nil {
				return nil, err
			}
		}
	}
	delete(seen, patient.RowID)
	rows := make([]int64, 0, len(seen))
	for row := range seen {
		rows = append(rows, row)
	}
	slices.Sort(rows)
	return rows, nil
}

// behind adds what the patient itself refers to.
func (s *Server) behind(ctx context.Context, tx *store.Tx, r request, patient store.Version, seen map[int64]bool) error {
	for _, ref := range references(r.base, patient.Raw) {
		v, found, err := tx.Get(ctx, ref.typ, ref.id)
		if err != nil {
			return err
		}
		if found && !v.Deleted {
			seen[v.RowID] = true
		}
	}
	return nil
}

// page gives the versions of a page and one more when there is another page, and how many
// there are in all.
func (o scope) page(ctx context.Context, tx *store.Tx, patient store.Version, rows []int64) ([]store.Version, int, error) {
	var out []store.Version
	total := 0
	take := func(v store.Version, first bool) {
		if len(o.types) > 0 && !slices.Contains(o.types, v.Type) || v.Updated.Before(o.since) || v.Deleted {
			return
		}
		total++
		if (first && o.after == 0 || !first && (v.RowID > o.after || o.after == patient.RowID)) && len(out) <= o.count {
			out = append(out, v)
		}
	}
	take(patient, true)
	for _, row := range rows {
		v, found, err := tx.ByRowID(ctx, row)
		if err != nil {
			return nil, 0, err
		}
		if found {
			take(v, false)
		}
	}
	return out, total, nil
}
