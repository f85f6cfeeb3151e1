package revocation

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
)

// maxCounter is the largest integer that every JSON reader keeps (RFC 8259 §6).
const maxCounter = 1<<53 - 1

type crlJSON struct {
	KID    string   `json:"kid"`
	Method string   `json:"method"`
	CTR    uint64   `json:"ctr"`
	RIDs   []string `json:"rids"`
}

// EncodeCRL writes the card revocation list of one key (SMART Health Cards Framework,
// "Revocation"). kid is the thumbprint of the key, ctr the counter that the key's JWK has as
// crlVersion, rids are ids with or without a timestamp. An id stands once: without timestamp
// if any mention has none, else with the latest.
func EncodeCRL(kid string, ctr uint64, rids []string) ([]byte, error) {
	if !isThumbprint(kid) {
		return nil, errors.New("revocation: the key of a card revocation list must be a thumbprint (RFC 7638)")
	}
	if ctr == 0 || ctr > maxCounter {
		return nil, errors.New("revocation: the counter of a card revocation list must be from 1 to 2^53-1")
	}
	latest := make(map[string]int64, len(rids)) // 0: revoked whatever its date
	for _, text := range rids {
		rid, seconds, ok := SplitRID(text)
		if !ok {
			return nil, errors.New("revocation: a revocation id must be base64url of at most 24 characters, with seconds behind a dot if any")
		}
		if before, known := latest[rid]; !known || before != 0 && (seconds == 0 || seconds > before) {
			latest[rid] = seconds
		}
	}
	out := crlJSON{KID: kid, Method: "rid", CTR: ctr, RIDs: make([]string, 0, len(latest))}
	for _, rid := range slices.Sorted(maps.Keys(latest)) {
		if seconds := latest[rid]; seconds != 0 {
			rid += "." + strconv.FormatInt(seconds, 10)
		}
		out.RIDs = append(out.RIDs, rid)
	}
	return json.Marshal(out)
}
