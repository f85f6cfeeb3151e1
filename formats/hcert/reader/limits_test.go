package reader

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// cost runs f and fails if it takes long or allocates much.
func cost(t *testing.T, maxBytes uint64, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	elapsed := time.Since(start)
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > maxBytes {
		t.Errorf("allocated %d bytes, limit %d", allocated, maxBytes)
	}
	if elapsed > 5*time.Second {
		t.Errorf("took %v", elapsed)
	}
}

// These tests measure the whole process, so they do not run in parallel.

func TestZipBomb(t *testing.T) {
	bomb := deflate(t, zlib.BestCompression, make([]byte, 2_600_000))
	text := "HC1:" + base45(bomb)
	if len(text) > maxText {
		t.Fatalf("the bomb has %d characters and would not be unpacked at all", len(text))
	}
	cost(t, 1<<20, func() {
		_, err := Decode(text)
		wantReason(t, err, ReasonInvalidCompression)
		if refused := new(Error); !errors.As(err, &refused) || !errors.Is(err, errTooLarge) {
			t.Errorf("got %v", errors.Unwrap(err))
		}
	})
}

func TestInflateLimitIsExact(t *testing.T) {
	for size, want := range map[int]error{maxMessage: nil, maxMessage + 1: errTooLarge} {
		out, err := inflate(deflate(t, zlib.BestCompression, make([]byte, size)))
		if !errors.Is(err, want) || (err == nil && len(out) != size) {
			t.Errorf("%d bytes: %d, %v", size, len(out), err)
		}
	}
}

func TestHugeInputs(t *testing.T) {
	const size = 10 << 20
	long := "HC1:" + strings.Repeat("0", size)
	zeros := make([]byte, size)
	cost(t, 1<<20, func() {
		_, err := Decode(long)
		wantReason(t, err, ReasonNotHCERT)
		_, err = DecodeCOSE(zeros)
		wantReason(t, err, ReasonInvalidCOSE)
	})
}

func TestNestedCBOR(t *testing.T) {
	// The claims and claim -260 are two levels; a value of the content may have 14.
	nest := func(head byte, levels int) string {
		return "a1390103a103" + hex.EncodeToString(bytes.Repeat([]byte{head}, levels)) + "00"
	}
	wantClaims := func(payload string, want Reason) {
		t.Helper()
		_, err := decodeClaims(unhex(t, payload))
		wantReason(t, err, want)
	}
	wantClaims(nest(0x81, 14), "")
	wantClaims(nest(0x81, 15), ReasonInvalidCBOR)
	cost(t, 4<<20, func() {
		for _, head := range []byte{0x81, 0xc0, 0x9f, 0xbf, 0xd2} {
			deep := bytes.Repeat([]byte{head}, maxMessage)
			if _, err := DecodeCOSE(deep); err == nil {
				t.Errorf("64 KiB of %02x accepted", head)
			}
			if _, err := decodeClaims(deep); err == nil {
				t.Errorf("claims of 64 KiB of %02x accepted", head)
			}
		}
	})
}

func TestAnnouncedLengthsAreNotBelieved(t *testing.T) {
	cost(t, 1<<20, func() {
		for _, payload := range []string{
			"9b7fffffffffffffff", "bb7fffffffffffffff", "7b7fffffffffffffff", "5b7fffffffffffffff",
			"9a00ffffff00", "ba00ffffff0000", "a1390103a1039a00ffffff00",
		} {
			_, err := decodeClaims(unhex(t, payload))
			wantReason(t, err, ReasonInvalidCBOR)
		}
	})
}

func TestMemberLimits(t *testing.T) {
	list := func(n int) []byte {
		return append(unhex(t, "a1390103a103"), encode(t, make([]int, n))...)
	}
	_, err := decodeClaims(list(maxMembers))
	wantReason(t, err, "")
	_, err = decodeClaims(list(maxMembers + 1))
	wantReason(t, err, ReasonInvalidCBOR)
}

// A message of 64 KiB may hold tens of thousands of tiny values; only 4096 are read.
func TestValueLimit(t *testing.T) {
	rows := func(n int) []byte { // n lists of 1023 values: 1024*n values with the outer list's own
		row := encode(t, make([]int, 1023))
		return append(append(unhex(t, "a1390103a103"), 0x80|byte(n)), bytes.Repeat(row, n)...)
	}
	_, err := decodeClaims(rows(3))
	wantReason(t, err, "")
	_, err = decodeClaims(rows(4)) // 4097 with the outer list
	wantReason(t, err, ReasonInvalidCBOR)

	row := bytes.ReplaceAll(encode(t, make([][]int, maxMembers)), []byte{0xf6}, []byte{0x80})
	dense := append(unhex(t, "a1390103a103983c"), bytes.Repeat(row, 60)...)
	if len(dense) > maxMessage {
		t.Fatal("too large to be read at all")
	}
	cost(t, 8<<20, func() {
		_, err := decodeClaims(dense)
		wantReason(t, err, ReasonInvalidCBOR)
	})
}
