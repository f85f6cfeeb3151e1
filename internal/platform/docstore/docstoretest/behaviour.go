package docstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
)

func insertAndGet(t *testing.T, open Open) {
	s, clock := fresh(t, open)
	d := doc("a", []string{"u1", "u2", "u1"}, []string{"i1", "i1"})
	d.Version, d.Expires = 77, clock.Now().Add(time.Hour+900*time.Millisecond)
	want := doc("a", []string{"u1", "u2"}, []string{"i1"})
	want.Version, want.Expires = 1, clock.Now().Add(time.Hour)
	body := []byte("body of a")
	d.Body = body
	wantDoc(t, want)(s.Insert(ctx, certs, d))
	body[0] = 'X' // the store keeps its own copy
	wantDoc(t, want)(s.Get(ctx, certs, "a"))
	wantDoc(t, want)(s.GetUnique(ctx, certs, "u2"))
	wantErr(t, docstore.ErrNotFound)(s.Get(ctx, certs, "A"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "i1"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "a"))
	wantErr(t, docstore.ErrNotFound)(s.Get(ctx, "other", "a"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, "other", "u1"))
	if _, err := s.Insert(ctx, "other", d); err != nil {
		t.Errorf("the same id and keys in another collection: %v", err)
	}
	bare := docstore.Document{ID: "no body, no keys"}
	insert(t, s, bare)
	got, err := s.Get(ctx, certs, bare.ID)
	if err != nil || len(got.Body) != 0 || got.Unique != nil || got.Index != nil || !got.Expires.IsZero() {
		t.Errorf("bare document %+v, %v", got, err)
	}
	if err := s.Ping(ctx); err != nil {
		t.Error(err)
	}
}

func exists(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	insert(t, s, doc("a", []string{"u1"}, nil))
	insert(t, s, doc("b", []string{"u2"}, nil))
	wantExists(t, "", "a")(s.Insert(ctx, certs, doc("a", []string{"u2"}, []string{"i"})))
	wantExists(t, "u2", "b")(s.Insert(ctx, certs, doc("c", []string{"free", "u2", "u1"}, []string{"i"})))
	// The refused documents left nothing behind.
	wantErr(t, docstore.ErrNotFound)(s.Get(ctx, certs, "c"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "free"))
	wantIDs(t, s, "i")
	insert(t, s, doc("d", []string{"free"}, nil))
}

func update(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	a := insert(t, s, doc("a", []string{"u1", "u2"}, []string{"i1", "i2"}))
	insert(t, s, doc("b", []string{"taken"}, nil))

	refused := a
	refused.Unique, refused.Index = []string{"u1", "free", "taken"}, []string{"i9"}
	wantExists(t, "taken", "b")(s.Update(ctx, certs, refused))
	wantDoc(t, a)(s.Get(ctx, certs, "a"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "free"))
	wantIDs(t, s, "i9")

	stale := refused
	stale.Version = 2
	wantErr(t, docstore.ErrVersion)(s.Update(ctx, certs, stale))
	wantErr(t, docstore.ErrNotFound)(s.Update(ctx, certs, docstore.Document{ID: "absent", Version: 1, Unique: []string{"taken"}}))

	changed := docstore.Document{ID: "a", Version: 1, Unique: []string{"u2", "u3"}, Index: []string{"i2", "i3"}, Body: []byte("new")}
	want := changed
	want.Version = 2
	wantDoc(t, want)(s.Update(ctx, certs, changed))
	wantDoc(t, want)(s.Get(ctx, certs, "a"))
	wantDoc(t, want)(s.GetUnique(ctx, certs, "u3"))
	wantDoc(t, want)(s.GetUnique(ctx, certs, "u2"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "u1"))
	wantIDs(t, s, "i1")
	wantIDs(t, s, "i2", "a")
	wantIDs(t, s, "i3", "a")
	wantErr(t, docstore.ErrVersion)(s.Update(ctx, certs, changed))
	insert(t, s, doc("c", []string{"u1"}, nil)) // free again
}

func deletes(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	a := insert(t, s, doc("a", []string{"u1"}, []string{"i1"}))
	if err := s.Delete(ctx, certs, "a", 2); !errors.Is(err, docstore.ErrVersion) {
		t.Error(err)
	}
	wantDoc(t, a)(s.GetUnique(ctx, certs, "u1"))
	if err := s.Delete(ctx, certs, "a", 1); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx, certs, "a", 1); !errors.Is(err, docstore.ErrNotFound) {
		t.Error(err)
	}
	wantErr(t, docstore.ErrNotFound)(s.Get(ctx, certs, "a"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "u1"))
	wantIDs(t, s, "i1")
	wantDoc(t, a)(s.Insert(ctx, certs, a))
}

func ranges(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	var want []string
	for i := range 10 {
		id := fmt.Sprintf("%02d", (i*7)%10)
		insert(t, s, doc(id, nil, []string{"all", "other"}))
	}
	for i := range 10 {
		want = append(want, fmt.Sprintf("%02d", i))
	}
	wantIDs(t, s, "all", want...)
	wantIDs(t, s, "al")
	var got []string
	pages, after := 0, ""
	for {
		docs, next, err := s.Range(ctx, certs, "all", after, 5)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			got = append(got, d.ID)
		}
		if pages++; next == "" {
			break
		}
		after = next
	}
	if pages != 2 || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%d pages: %v", pages, got)
	}
	// after need not exist; order is by bytes, so capitals come first.
	insert(t, s, doc("B", nil, []string{"case"}))
	insert(t, s, doc("a", nil, []string{"case"}))
	insert(t, s, doc("\u00e9", nil, []string{"case"}))
	wantIDs(t, s, "case", "B", "a", "\u00e9")
	if docs, next, err := s.Range(ctx, certs, "case", "C", 1); err != nil || len(docs) != 1 || docs[0].ID != "a" || next != "a" {
		t.Errorf("range behind an absent id: %v %q %v", docs, next, err)
	}
}

func expiry(t *testing.T, open Open) {
	s, clock := fresh(t, open)
	d := doc("a", []string{"u1", "u2"}, []string{"i1"})
	d.Expires = clock.Now().Add(10 * time.Second)
	a := insert(t, s, d)
	clock.Advance(9 * time.Second)
	wantDoc(t, a)(s.Get(ctx, certs, "a"))
	wantExists(t, "u1", "a")(s.Insert(ctx, certs, doc("b", []string{"u1"}, nil)))
	clock.Advance(time.Second)
	wantErr(t, docstore.ErrNotFound)(s.Get(ctx, certs, "a"))
	wantErr(t, docstore.ErrNotFound)(s.GetUnique(ctx, certs, "u1"))
	wantErr(t, docstore.ErrNotFound)(s.Update(ctx, certs, a))
	if err := s.Delete(ctx, certs, "a", 1); !errors.Is(err, docstore.ErrNotFound) {
		t.Error(err)
	}
	wantIDs(t, s, "i1")
	// Its key and its id are free, and the rest of it goes with them.
	b := insert(t, s, doc("b", []string{"u1"}, []string{"i1"}))
	a = insert(t, s, doc("a", []string{"u2"}, []string{"i1"}))
	wantDoc(t, b)(s.GetUnique(ctx, certs, "u1"))
	wantDoc(t, a)(s.GetUnique(ctx, certs, "u2"))
	wantIDs(t, s, "i1", "a", "b")
	// An update may set, move and take away the expiry.
	a.Expires = clock.Now().Add(time.Second)
	a, err := s.Update(ctx, certs, a)
	if err != nil {
		t.Fatal(err)
	}
	a.Expires = time.Time{}
	if _, err := s.Update(ctx, certs, a); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	wantIDs(t, s, "i1", "a", "b")
}

func purge(t *testing.T, open Open) {
	s, clock := fresh(t, open)
	for i := range 5 {
		d := doc(fmt.Sprint(i), []string{fmt.Sprint("u", i)}, []string{"i1"})
		d.Expires = clock.Now().Add(time.Second)
		insert(t, s, d)
	}
	insert(t, s, doc("stays", nil, []string{"i1"}))
	if n, err := s.Purge(ctx, 10); err != nil || n != 0 {
		t.Errorf("purged %d live documents, %v", n, err)
	}
	clock.Advance(time.Second)
	for range 6 {
		if n, err := s.Purge(ctx, 2); err != nil || n > 2 {
			t.Errorf("purged %d, %v", n, err)
		}
	}
	wantIDs(t, s, "i1", "stays")
	insert(t, s, doc("3", []string{"u2"}, nil))
}

func limits(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	many := make([]string, docstore.MaxKeys+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	long := strings.Repeat("x", docstore.MaxKey+1)
	for name, d := range map[string]docstore.Document{
		"no id": {}, "long id": {ID: long}, "NUL": {ID: "a\x00b"}, "UTF-8": {ID: "\xff"},
		"empty key": {ID: "a", Unique: []string{""}}, "many": {ID: "a", Index: many},
		"body": {ID: "a", Body: make([]byte, docstore.MaxBody+1)}, "expires": {ID: "a", Expires: time.Unix(-5, 0)},
	} {
		var bad *docstore.InvalidError
		if _, err := s.Insert(ctx, certs, d); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, _, err := s.Range(ctx, certs, "i", "", 0)
	var bad *docstore.InvalidError
	if !errors.As(err, &bad) {
		t.Errorf("limit 0: %v", err)
	}
	big := docstore.Document{ID: long[1:], Unique: many[1:], Index: many[1:], Body: make([]byte, docstore.MaxBody)}
	got := insert(t, s, big)
	wantDoc(t, got)(s.GetUnique(ctx, certs, many[5]))
}

func reopens(t *testing.T, open Open) {
	clock := new(Clock)
	s, reopen := open(t, clock)
	a := insert(t, s, doc("a", []string{"u1"}, []string{"i1"}))
	a.Body = []byte("second")
	a, err := s.Update(ctx, certs, a)
	if err != nil {
		t.Fatal(err)
	}
	s = reopen()
	wantDoc(t, a)(s.GetUnique(ctx, certs, "u1"))
	wantIDs(t, s, "i1", "a")
	wantExists(t, "u1", "a")(s.Insert(ctx, certs, doc("b", []string{"u1"}, nil)))
}

func cancelled(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	wantErr(t, context.Canceled)(s.Insert(ended, certs, doc("a", []string{"u1"}, nil)))
	wantErr(t, context.Canceled)(s.Get(ended, certs, "a"))
	wantErr(t, docstore.ErrNotFound)(s.Get(ctx, certs, "a"))
	// Whatever the moment of the cancellation, the answer is the truth.
	for i := range 200 {
		racing, cancel := context.WithCancel(ctx)
		go cancel()
		id := fmt.Sprint(i)
		_, err := s.Insert(racing, certs, doc(id, nil, nil))
		_, found := s.Get(ctx, certs, id)
		if (err == nil) != (found == nil) {
			t.Fatalf("insert said %v, get says %v", err, found)
		}
	}
}

func closed(t *testing.T, open Open) {
	s, _ := fresh(t, open)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	wantErr(t, docstore.ErrUnavailable)(s.Insert(ctx, certs, doc("a", nil, nil)))
	wantErr(t, docstore.ErrUnavailable)(s.Get(ctx, certs, "a"))
	if err := s.Ping(ctx); !errors.Is(err, docstore.ErrUnavailable) {
		t.Error(err)
	}
}
