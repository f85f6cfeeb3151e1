package reader

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/strictjson"
)

const (
	maxCRL  = 64 << 20
	maxRIDs = 2_000_000
)

// CRL is the revocation list for the cards under one key (SMART Health Cards Framework,
// "Revocation"), as published at <iss>/.well-known/crl/<kid>.json. It is immutable.
type CRL struct {
	KID     string
	Counter int64 // ctr, equal to crlVersion of the key

	// revoked has for each rid the moment, in seconds since 1970, before which cards are
	// revoked.
	revoked map[string]int64
}

// always is a moment after every card.
const always = int64(1) << 62

// Len is the number of revocation ids.
func (l CRL) Len() int { return len(l.revoked) }

// Revoked tells whether a card with that vc.rid and nbf is on the list. A card without rid
// cannot be revoked by one.
func (l CRL) Revoked(rid string, nbf time.Time) bool {
	before, listed := l.revoked[rid]
	return listed && nbf.Unix() < before
}

// CheckKey tells whether the list belongs to the key and is the one the key announces.
// The failure is an *Error with ReasonInvalidCRL.
func (l CRL) CheckKey(key Key) error {
	switch {
	case l.KID != key.KID:
		return fail(ReasonInvalidCRL, "kid must be that of the key")
	case l.Counter != key.CRLVersion:
		return fail(ReasonInvalidCRL, "ctr must equal the crlVersion of the key")
	}
	return nil
}

// ParseCRL reads a revocation list of at most 64 MiB and 2,000,000 ids. Every failure is
// an *Error with ReasonInvalidCRL.
func ParseCRL(raw []byte) (CRL, error) {
	if len(raw) > maxCRL {
		return CRL{}, fail(ReasonInvalidCRL, "the list is larger than 64 MiB")
	}
	if err := strictjson.Check(raw, maxDepth); err != nil {
		return CRL{}, fail(ReasonInvalidCRL, "the list is not one JSON value without repeated names").because(err)
	}
	var wire map[string]json.RawMessage
	if err := json.Unmarshal(raw, &wire); err != nil {
		return CRL{}, fail(ReasonInvalidCRL, "the list is not a JSON object").because(err)
	}
	list, rids, err := members(wire)
	if err != nil {
		return CRL{}, err
	}
	list.revoked = make(map[string]int64, len(rids))
	for _, entry := range rids {
		if err := list.add(entry); err != nil {
			return CRL{}, err
		}
	}
	return list, nil
}

// members reads all but the ids themselves.
func members(wire map[string]json.RawMessage) (CRL, []string, error) {
	var (
		list   CRL
		method string
		rids   []string
	)
	for name, target := range map[string]any{"kid": &list.KID, "method": &method, "ctr": &list.Counter, "rids": &rids} {
		if err := json.Unmarshal(wire[name], target); err != nil {
			return CRL{}, nil, fail(ReasonInvalidCRL, "the list must have kid, method, ctr and rids of their types").because(err)
		}
	}
	switch {
	case len(list.KID) != kidLength || !isBase64URL(list.KID):
		return CRL{}, nil, fail(ReasonInvalidCRL, "kid must be the thumbprint of a key")
	case method != "rid":
		return CRL{}, nil, fail(ReasonInvalidCRL, "method must be rid")
	case list.Counter < 1:
		return CRL{}, nil, fail(ReasonInvalidCRL, "ctr must be an integer from 1")
	case rids == nil || len(rids) > maxRIDs:
		return CRL{}, nil, fail(ReasonInvalidCRL, "rids must be a list of at most 2,000,000 ids")
	}
	return list, rids, nil
}

// add reads "id" or "id.seconds".
func (l CRL) add(entry string) error {
	rid, seconds, timed := strings.Cut(entry, ".")
	before := always
	if timed {
		var ok bool
		if before, ok = revocationTime(seconds); !ok {
			return fail(ReasonInvalidCRL, "behind the dot of an id must stand seconds since 1970")
		}
	}
	switch _, repeated := l.revoked[rid]; {
	case rid == "" || !isBase64URL(rid):
		return fail(ReasonInvalidCRL, "an id must be base64url")
	case len(rid) > maxRID:
		return fail(ReasonInvalidCRL, "an id must be at most 24 characters long")
	case repeated:
		return fail(ReasonInvalidCRL, "an id is on the list twice")
	}
	l.revoked[rid] = before
	return nil
}

func revocationTime(digits string) (int64, bool) {
	const longest = 12 // digits of seconds up to the year 9999
	if digits == "" || len(digits) > longest || digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	seconds, err := strconv.ParseInt(digits, 10, 64)
	return seconds, err == nil
}
