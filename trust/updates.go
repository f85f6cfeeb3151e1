package trust

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"sort"
)

// Update is one certificate as verifiers in the style of the EU fetch them, one by one.
type Update struct {
	KID   string         // standard base64
	Token uint64         // resume token: the next update has a greater one
	DSC   Representation // DER in base64
}

// Bits of a resume token. Verifier apps keep it in a signed number of 64 bits.
const (
	tokenKIDBits  = 30
	tokenTimeBits = 33 // seconds since 1970, until the year 2242
)

// newUpdates orders the keys for HCERT content by when they were listed first and by key
// id. Both are in the token, so that it means the same after a restart, at another gateway
// and when other keys come and go: a key that is listed later has a greater one.
func newUpdates(l *List) []Update {
	var updates []Update
	for _, entry := range l.Entries() {
		if entry.isHCERT() {
			updates = append(updates, Update{
				KID: hcertKID(entry), Token: resumeToken(entry),
				DSC: newRepresentation([]byte(base64.StdEncoding.EncodeToString(entry.DSC.Raw))),
			})
		}
	}
	slices.SortFunc(updates, func(a, b Update) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), bytes.Compare([]byte(a.KID), []byte(b.KID)))
	})
	for i := 1; i < len(updates); i++ { // the same second and 30 equal bits of SHA-256
		updates[i].Token = max(updates[i].Token, updates[i-1].Token+1)
	}
	return updates
}

func resumeToken(entry Entry) uint64 {
	at := uint64(max(entry.ListedFrom.Unix(), 0)) & (1<<tokenTimeBits - 1)
	return at<<tokenKIDBits | binary.BigEndian.Uint64(entry.KID)>>(64-tokenKIDBits)
}

// after finds the first update with a greater token.
func after(updates []Update, token uint64) (Update, bool) {
	at := sort.Search(len(updates), func(i int) bool { return updates[i].Token > token })
	if at == len(updates) {
		return Update{}, false
	}
	return updates[at], true
}

// newStatus writes the ids of all keys for HCERT content as a JSON array: what is not in
// it is not trusted any more.
func newStatus(l *List) ([]byte, error) {
	kids := []string{}
	for _, entry := range l.Entries() {
		if entry.isHCERT() {
			kids = append(kids, hcertKID(entry))
		}
	}
	return encodeJSON(kids)
}
