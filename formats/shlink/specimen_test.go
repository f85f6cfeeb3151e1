package shlink_test

import (
	"crypto/sha256"
	"encoding/json"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
)

// specimen is the link of a person who does not exist.
func specimen() shlink.Link {
	return shlink.Link{
		URL:     "https://gateway.example/shl/Y9xwkUdtmN9wwoJoN3ffJIhX2UGvCL1JnlPVNL3kDWM",
		Key:     sha256.Sum256([]byte("specimen")),
		Expires: time.Date(2027, 1, 1, 8, 0, 0, 0, time.UTC),
		Flags:   shlink.LongTerm | shlink.Passcode,
		Label:   "Anna Specimen: <first> dose & “second” dose",
		Version: 1,
	}
}

func decode[T any](t testing.TB, raw []byte) T {
	t.Helper()
	var out T
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
