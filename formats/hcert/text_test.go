package hcert_test

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
)

// noise is incompressible and always the same.
func noise(n int) []byte {
	var out []byte
	for i := uint64(0); len(out) < n; i++ {
		block := sha256.Sum256(binary.BigEndian.AppendUint64(nil, i))
		out = append(out, block[:]...)
	}
	return out[:n]
}

func TestTextForm(t *testing.T) {
	t.Parallel()
	text, err := hcert.Text([]byte("payload"))
	if err != nil {
		t.Fatal(err)
	}
	// 0x78da, the zlib header of best compression, is "NCF" in Base45.
	if !strings.HasPrefix(text, "HC1:NCF") {
		t.Errorf("got %q", text)
	}
	const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" // ISO/IEC 18004 §7.4.4
	if rest := strings.Trim(text, alphanumeric); rest != "" {
		t.Errorf("characters outside the alphanumeric mode: %q", rest)
	}
}

func TestTextLimit(t *testing.T) {
	t.Parallel()
	fits := false
	for size := 940; size <= 980; size++ {
		text, err := hcert.Text(noise(size))
		switch {
		case err == nil && len(text) <= hcert.MaxTextM:
			fits = true
		case err == nil:
			t.Fatalf("%d bytes gave %d characters", size, len(text))
		case !errors.Is(err, hcert.ErrTooLong):
			t.Fatal(err)
		case size == 940:
			t.Fatal("the smallest size is refused already")
		}
	}
	if !fits {
		t.Error("no size fitted")
	}
	if _, err := hcert.Text(make([]byte, 64<<10+1)); !errors.Is(err, hcert.ErrTooLong) {
		t.Errorf("what readers refuse to inflate was written: %v", err)
	}
}

// The compressors are reused; nothing of one message may reach another.
func TestTextIsIndependentOfItsNeighbours(t *testing.T) {
	t.Parallel()
	messages := [][]byte{[]byte("a"), noise(100), noise(900), noise(2000), []byte(strings.Repeat("abc", 300))}
	want := make([]string, len(messages))
	for i, message := range messages {
		want[i], _ = hcert.Text(message)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				for i, message := range messages {
					if got, _ := hcert.Text(message); got != want[i] {
						t.Errorf("message %d changed", i)
					}
				}
			}
		})
	}
	group.Wait()
}
