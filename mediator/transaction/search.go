package transaction

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const (
	// MaxPage bounds the transactions of a page.
	MaxPage = 100
	// maxScan bounds the records that are looked at for one page. A page that is not full and
	// has a cursor is not the last.
	maxScan = 5000
	// scanPage is how many are read at a time.
	scanPage = 250
)

// Filter chooses transactions; what is empty or zero chooses all.
type Filter struct {
	Client, Route, Outcome            string
	StatusFrom, StatusTo              int // inclusive
	Certificate, OpenHIM, Correlation string
	Since, Until                      time.Time // of Started; until is exclusive
}

// index is the key that finds the fewest records.
func (f Filter) index() string {
	switch {
	case f.Certificate != "":
		return certificateKey(f.Certificate)
	case f.OpenHIM != "":
		return openHIMKey(f.OpenHIM)
	case f.Correlation != "":
		return correlationKey(f.Correlation)
	case f.Outcome != "" && f.Outcome != OutcomeDone:
		return outcomeKey(f.Outcome)
	case f.StatusFrom >= 400 && f.StatusFrom/100 == f.StatusTo/100:
		return classKey(f.StatusFrom / 100)
	case f.Route != "":
		return routeKey(f.Route)
	case f.Client != "":
		return clientKey(f.Client)
	}
	return allKey
}

// matches checks what the index key does not.
func (f Filter) matches(t Transaction) bool {
	same := func(want, have string) bool { return want == "" || want == have }
	return same(f.Client, t.Client) && same(f.Route, t.Route) && same(f.Outcome, t.Outcome) &&
		same(f.OpenHIM, t.OpenHIM) && same(f.Correlation, t.Correlation) &&
		t.Status >= f.StatusFrom && (f.StatusTo == 0 || t.Status <= f.StatusTo) &&
		!t.Started.Before(f.Since) && (f.Until.IsZero() || t.Started.Before(f.Until))
}

// start is the place behind which the walk begins.
func (f Filter) start() string {
	if f.Until.IsZero() {
		return ""
	}
	return place(begin(f.Until.Add(time.Millisecond)))
}

// over says that everything from this id on began before the window.
func (f Filter) over(id uuid.UUID) bool {
	return !f.Since.IsZero() && timeOf(id).Before(f.Since.Truncate(time.Millisecond))
}

// Page is a part of a search, newest first.
type Page struct {
	Transactions []Transaction // without their calls
	Next         string        // cursor of the following page; empty behind the last
}

var errCursor = fault.New(fault.Malformed, "cursor", "The cursor is not one of ours.").With(fault.Issue{
	Path: "cursor", Rule: "opaque", Detail: "The value was not given out as next.", Fix: "Send the member next of the page before, or leave it out.",
})

// Search gives a page of at most count transactions. What is recorded during a walk stands
// before its first page; what is there during the whole of it comes exactly once.
// Errors: Malformed (cursor), Unavailable.
func (s *Service) Search(ctx context.Context, f Filter, cursor string, count int) (Page, error) {
	after := f.start()
	if cursor != "" {
		var ok bool
		if after, ok = parseCursor(cursor); !ok {
			return Page{}, errCursor
		}
	}
	var page Page
	last, err := s.walk(ctx, f, after, maxScan, func(t Transaction) bool {
		page.Transactions = append(page.Transactions, t)
		return len(page.Transactions) < count
	})
	if err != nil {
		return Page{}, err
	}
	if last != "" {
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
	}
	return page, nil
}

func parseCursor(cursor string) (string, bool) {
	if len(cursor) > base64.RawURLEncoding.EncodedLen(placeSize+maxSuffix) {
		return "", false
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return "", false
	}
	_, ok := idAt(string(raw))
	return string(raw), ok
}

// walk hands the matching records behind a place to use, the newest first, until use has
// enough, limit records were read or the window ends. It gives the place to go on from, or
// nothing behind the last.
func (s *Service) walk(ctx context.Context, f Filter, after string, limit int, use func(Transaction) bool) (string, error) {
	for read := 0; read < limit; {
		docs, next, err := s.Store.Range(ctx, records, f.index(), after, min(scanPage, limit-read))
		if err != nil {
			return "", errStore.Because(err)
		}
		read += len(docs)
		for n, d := range docs {
			id, ok := idAt(d.ID)
			if !ok {
				return "", errRow
			}
			if f.over(id) {
				return "", nil
			}
			t, there, err := s.head(ctx, id, d.ID, d.Body)
			if err != nil {
				return "", err
			}
			if there && f.matches(t) && !use(t) {
				if n == len(docs)-1 && next == "" {
					return "", nil
				}
				return d.ID, nil
			}
		}
		if next == "" {
			return "", nil
		}
		after = next
	}
	return after, nil
}

// head reads a record without its calls; a document that only carries keys points at it.
func (s *Service) head(ctx context.Context, id uuid.UUID, at string, body []byte) (Transaction, bool, error) {
	if len(at) == placeSize {
		t, _, _, err := decode(id, body)
		return t, true, err
	}
	_, doc, err := s.document(ctx, id.String())
	if errors.Is(err, ErrUnknown) { // not written yet
		return Transaction{}, false, nil
	}
	if err != nil {
		return Transaction{}, false, err
	}
	t, _, _, err := decode(id, doc.Body)
	return t, true, err
}
