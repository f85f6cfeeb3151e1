package revocation_test

import (
	"crypto/sha256"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

const thumbprint = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"

var until = time.Date(2027, 6, 30, 23, 59, 59, 0, time.UTC)

// hashOf is the n-th of a fixed sequence of random hashes.
func hashOf(n int) revocation.Hash {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(n))
	sum := sha256.Sum256(number[:])
	return revocation.Hash(sum[:])
}

func hashesOf(from, to int) []revocation.Hash {
	out := make([]revocation.Hash, 0, to-from)
	for i := from; i < to; i++ {
		out = append(out, hashOf(i))
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// pathsOf gives the paths of the issues of an error.
func pathsOf(err error) []string {
	var out []string
	for _, issue := range fault.From(err).Issues {
		out = append(out, issue.Path)
	}
	return out
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	must(t, err)
	return raw
}
