package clienttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Store is a FHIR server in memory: an http.Handler below /fhir. It re-serialises what it
// stores, as HAPI does. It is safe for concurrent use.
type Store struct {
	mu     sync.Mutex
	items  map[string]*item // by Type/id
	order  []string         // keys of items in the order they were made
	last   int              // id given last
	writes []Write
	undo   []func() // of the transaction that runs; nil: none does
	pages  map[string][]object
}

// Write is one change of a Store.
type Write struct {
	Method, Type, ID string
	Version          int
}

type object = map[string]any

type item struct {
	typ, id  string
	versions []stored
}

type stored struct {
	method  string
	at      time.Time
	content object // nil: deleted
}

// NewStore makes an empty Store.
func NewStore() *Store { return &Store{items: map[string]*item{}, pages: map[string][]object{}} }

// All gives the current resources of a type as JSON, in the order they were first made.
func (s *Store) All(typ string) [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out [][]byte
	for _, o := range s.current(typ) {
		out = append(out, encode(o))
	}
	return out
}

// Count is the number of current resources of a type.
func (s *Store) Count(typ string) int { return len(s.All(typ)) }

// Get gives one current resource as JSON; nil if there is none.
func (s *Store) Get(typ, id string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.items[typ+"/"+id]; i != nil && i.now().content != nil {
		return encode(i.now().content)
	}
	return nil
}

// Versions counts the versions of a resource, deletions among them.
func (s *Store) Versions(typ, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.items[typ+"/"+id]; i != nil {
		return len(i.versions)
	}
	return 0
}

// Writes are all changes in their order; those of a transaction that failed are not.
func (s *Store) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

func (i *item) now() stored { return i.versions[len(i.versions)-1] }

// current gives the resources of a type; call it with the lock.
func (s *Store) current(typ string) []object {
	var out []object
	for _, key := range s.order {
		if i := s.items[key]; i.typ == typ && i.now().content != nil {
			out = append(out, i.now().content)
		}
	}
	return out
}

// put adds a version; nil content deletes.
func (s *Store) put(method, typ, id string, content object) *item {
	key := typ + "/" + id
	i := s.items[key]
	if i == nil {
		i = &item{typ: typ, id: id}
		s.items[key] = i
		s.order = append(s.order, key)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	if content != nil {
		content = stamp(content, id, len(i.versions)+1, now)
	}
	i.versions = append(i.versions, stored{method, now, content})
	s.writes = append(s.writes, Write{method, typ, id, len(i.versions)})
	if s.undo != nil {
		s.undo = append(s.undo, func() { s.takeBack(i) })
	}
	return i
}

func (s *Store) takeBack(i *item) {
	s.writes = s.writes[:len(s.writes)-1]
	if i.versions = i.versions[:len(i.versions)-1]; len(i.versions) == 0 {
		delete(s.items, i.typ+"/"+i.id)
		s.order = s.order[:len(s.order)-1]
	}
}

// stamp gives a copy of content with id and meta of a version.
func stamp(content object, id string, version int, at time.Time) object {
	out, meta := maps.Clone(content), object{}
	if given, ok := out["meta"].(object); ok {
		meta = maps.Clone(given)
	}
	meta["versionId"], meta["lastUpdated"] = strconv.Itoa(version), at.Format("2006-01-02T15:04:05.000Z")
	out["id"], out["meta"] = id, meta
	return out
}

func (s *Store) newID() string {
	s.last++
	return "made-" + strconv.Itoa(s.last)
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // it was decoded from JSON
	}
	return bytes.TrimSpace(b.Bytes())
}

// decode reads one JSON object and keeps its numbers as they are written.
func decode(raw []byte) (object, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var o object
	if err := d.Decode(&o); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || o == nil {
		return nil, errors.New("more than one object, or none")
	}
	return o, nil
}

// text gives a member that is a string.
func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

// list gives a member as a list, one value as a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func etag(version int) string { return `W/"` + strconv.Itoa(version) + `"` }

func unquote(tag string) string { return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`) }
