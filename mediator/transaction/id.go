package transaction

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"regexp"
	"time"

	"github.com/google/uuid"
)

// newID makes the UUID version 7 of an instant: milliseconds, then 12 bits of the fraction
// of one (RFC 9562 §5.7 and §6.2, method 3), then 62 random bits.
func newID(at time.Time, random io.Reader) (uuid.UUID, error) {
	id := begin(at)
	if _, err := io.ReadFull(random, id[8:]); err != nil {
		return uuid.Nil, err
	}
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}

// begin is the first id of an instant.
func begin(at time.Time) uuid.UUID {
	var id uuid.UUID
	ms := at.UnixMilli()
	fraction := (at.UnixNano() - ms*int64(time.Millisecond)) << 12 / int64(time.Millisecond)
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<16|0x7000|uint64(fraction))
	id[8] = 0x80
	return id
}

// timeOf is the millisecond of an id.
func timeOf(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:]) >> 16)).UTC()
}

// place is the id of a record's document. The store ranges in ascending order of ids and
// operators read the newest first, so it is the complement.
func place(id uuid.UUID) string {
	for i := range id {
		id[i] = ^id[i]
	}
	return hex.EncodeToString(id[:])
}

// placeSize is the length of a place in characters.
const placeSize = 2 * len(uuid.UUID{})

// more separates a place from the number of a further document of the same record.
const more = "+"

// document is the form of the id of a record's document, or of a further one.
var document = regexp.MustCompile(`^([0-9a-f]{32})(\` + more + `[1-9][0-9]{0,2})?$`)

// maxSuffix bounds what follows a place, in characters.
const maxSuffix = 4

// idAt gives the id of the record that a document belongs to.
func idAt(name string) (uuid.UUID, bool) {
	parts := document.FindStringSubmatch(name)
	if parts == nil {
		return uuid.Nil, false
	}
	id := uuid.MustParse(parts[1])
	for i := range id {
		id[i] = ^id[i]
	}
	return id, true
}

// parseID takes the form that is given out and no other.
func parseID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && id.String() == text && id.Version() == 7
}
