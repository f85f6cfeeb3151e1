package audit

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var clock = func() time.Time { return time.Date(2026, 3, 1, 9, 30, 0, 999, time.FixedZone("x", 3600)) }

// signer is a fixed key: its seed is public and protects nothing.
var signer = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))

func options() Options {
	return Options{Origin: "specimen signer 1", Signer: signer, Clock: clock, EveryN: 4}
}

func open(t testing.TB, dir string, o Options) *Log {
	t.Helper()
	l, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func add(t testing.TB, l *Log, n int) {
	t.Helper()
	for i := range n {
		e := Entry{
			Action: "certificate.sign", Actor: "gateway", Subject: fmt.Sprintf("intent-%d", i), Outcome: "intended",
			Digest: "00ff", Attributes: map[string]string{"profile": "who-ddcc-vs", "algorithm": "<ES256>"},
		}
		if _, err := l.Append(context.Background(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t testing.TB, l *Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func verify(t testing.TB, dir string, former ...crypto.PublicKey) Report {
	t.Helper()
	r, err := Verify(dir, signer.Public(), former...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAppendReopenVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, options())
	rec, err := l.Append(context.Background(), Entry{Action: "key.rotate"})
	if err != nil || rec.Seq != 1 || len(rec.Hash) != 32 {
		t.Fatalf("receipt %+v, %v", rec, err)
	}
	add(t, l, 9)
	closed(t, l)
	if _, err := l.Append(context.Background(), Entry{Action: "late"}); !errors.Is(err, ErrClosed) {
		t.Errorf("append after close: %v", err)
	}
	l = open(t, dir, options())
	rec, err = l.Append(context.Background(), Entry{Action: "key.rotate"})
	if err != nil || rec.Seq != 11 {
		t.Fatalf("receipt after reopening %+v, %v", rec, err)
	}
	closed(t, l)
	r := verify(t, dir)
	if !r.OK() || r.Entries != 11 || r.Covered != 11 || r.Origin != "specimen signer 1" {
		t.Errorf("report %+v", r)
	}
	last := readLines(t, dir, entriesFile)[10]
	if got := hashOf(last); got != hex.EncodeToString(rec.Hash) {
		t.Error("the receipt's hash is not the hash of the line")
	}
	if !strings.Contains(last, `"time":"2026-03-01T08:30:00Z"`) {
		t.Error("time is not UTC in whole seconds")
	}
	for _, name := range []string{entriesFile, checkpointsFile, lockFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
}

func TestEntryIsRefused(t *testing.T) {
	t.Parallel()
	l := open(t, t.TempDir(), options())
	many := map[string]string{}
	for i := range maxAttributes + 1 {
		many[fmt.Sprint(i)] = ""
	}
	for name, e := range map[string]Entry{
		"no action":      {},
		"long":           {Action: strings.Repeat("x", maxField+1)},
		"not UTF-8":      {Action: "a", Reason: "\xff"},
		"attributes":     {Action: "a", Attributes: many},
		"attribute name": {Action: "a", Attributes: map[string]string{"\xff": ""}},
		"year":           {Action: "a", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		var bad *EntryError
		if _, err := l.Append(context.Background(), e); !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The longest entry that is allowed still fits a line.
	big := Entry{Action: strings.Repeat("\x01", maxField), Attributes: map[string]string{}}
	for i := range maxAttributes {
		big.Attributes[fmt.Sprintf("%04d", i)+strings.Repeat("\x01", maxField-4)] = strings.Repeat("\x01", maxField)
	}
	_, err := l.Append(context.Background(), big)
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.Append(ctx, Entry{Action: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled append: %v", err)
	}
}

func TestOpenIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, options())
	if _, err := Open(dir, options()); !errors.Is(err, ErrLocked) {
		t.Errorf("second open: %v", err)
	}
	add(t, l, 1)
	closed(t, l)
	other := options()
	other.Origin = "another"
	if _, err := Open(dir, other); err == nil {
		t.Error("a log of another origin opened")
	}
	for _, o := range []Options{{Origin: "x"}, {Signer: signer}, {Origin: "a\nb", Signer: signer}} {
		if _, err := Open(t.TempDir(), o); err == nil {
			t.Error("incomplete options accepted")
		}
	}
	if _, err := Open(filepath.Join(dir, "absent"), options()); err == nil || strings.Contains(err.Error(), dir) {
		t.Errorf("absent directory: %v", err)
	}
}

func TestKeyChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Signer = old
	l := open(t, dir, o)
	add(t, l, 2)
	closed(t, l)
	if _, err := Open(dir, options()); err == nil {
		t.Error("checkpoints of an unknown key were believed")
	}
	o = options()
	o.Former = []crypto.PublicKey{old.Public()}
	l = open(t, dir, o)
	add(t, l, 2)
	closed(t, l)
	if r := verify(t, dir, old.Public()); !r.OK() || r.Entries != 4 {
		t.Errorf("report %+v", r)
	}
	if r := verify(t, dir); r.OK() {
		t.Error("checkpoints of an unknown key were believed")
	}
}

func TestTornTailIsCut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir, options())
	add(t, l, 3)
	closed(t, l)
	for _, name := range []string{entriesFile, checkpointsFile} {
		lines := readLines(t, dir, name)
		appendTo(t, filepath.Join(dir, name), lines[0][:40])
	}
	if r := verify(t, dir); !r.OK() || r.Torn != 40 {
		t.Errorf("report %+v", r)
	}
	l = open(t, dir, options())
	add(t, l, 1)
	closed(t, l)
	if r := verify(t, dir); !r.OK() || r.Entries != 4 || r.Torn != 0 {
		t.Errorf("report %+v", r)
	}
}

// A crash leaves entries behind the last checkpoint; open verifies them.
func TestOpenRefusesBrokenTail(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func([]string) []string{
		"changed":   func(s []string) []string { s[8] = strings.Replace(s[8], "gateway", "gatewax", 1); return s },
		"removed":   func(s []string) []string { return append(s[:8], s[9:]...) },
		"head":      func(s []string) []string { s[7] = strings.Replace(s[7], "gateway", "gatewax", 1); return s },
		"truncated": func(s []string) []string { return s[:7] },
		"garbage":   func(s []string) []string { return append(s, "{}") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := open(t, dir, options())
			add(t, l, 11)
			closed(t, l)
			points := readLines(t, dir, checkpointsFile)
			writeLines(t, dir, checkpointsFile, points[:len(points)-1]) // of Close
			writeLines(t, dir, entriesFile, damage(readLines(t, dir, entriesFile)))
			var chain *ChainError
			if _, err := Open(dir, options()); !errors.As(err, &chain) || chain.Entry < 8 {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	const n = 10 // checkpoints at 0, 4, 8 and 10
	tests := []struct {
		name   string
		tamper func([]string) []string
		kind   Kind
		line   uint64
	}{
		{"changed", func(s []string) []string { s[4] = strings.Replace(s[4], "gateway", "gatewax", 1); return s }, Changed, 5},
		{"first changed", func(s []string) []string { s[0] = strings.Replace(s[0], "gateway", "gatewax", 1); return s }, Changed, 1},
		{"last changed", func(s []string) []string { s[9] = strings.Replace(s[9], "gateway", "gatewax", 1); return s }, Changed, 10},
		{"space added", func(s []string) []string { s[2] += " "; return s }, Changed, 3},
		{"huge", func(s []string) []string { s[2] = strings.Repeat("x", maxLine*2); return s }, Changed, 3},
		{"removed", func(s []string) []string { return append(s[:5], s[6:]...) }, Removed, 6},
		{"first removed", func(s []string) []string { return s[1:] }, Removed, 1},
		{"reordered", func(s []string) []string { s[5], s[6] = s[6], s[5]; return s }, Reordered, 7},
		{"inserted copy", func(s []string) []string { return append(s[:6:6], append([]string{s[2]}, s[6:]...)...) }, Inserted, 7},
		{"truncated", func(s []string) []string { return s[:9] }, Truncated, 10},
		{"emptied", func([]string) []string { return nil }, Truncated, 1},
		{"rechained", func(s []string) []string { return rechain(t, s, 5) }, Changed, 8},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := open(t, dir, options())
			add(t, l, n)
			closed(t, l)
			if r := verify(t, dir); !r.OK() || r.Entries != n || r.Checkpoints != 4 {
				t.Fatalf("untouched log: %+v", r)
			}
			writeLines(t, dir, entriesFile, test.tamper(readLines(t, dir, entriesFile)))
			r := verify(t, dir)
			if len(r.Findings) != 1 || r.Findings[0].Kind != test.kind || r.Findings[0].Line != test.line {
				t.Errorf("findings %+v, want one: %s in line %d", r.Findings, test.kind, test.line)
			}
		})
	}
}

func TestVerifyFindsBadCheckpoints(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]func([]string) []string{
		"size":    func(s []string) []string { s[2] = strings.Replace(s[2], `"size":8`, `"size":7`, 1); return s },
		"origin":  func(s []string) []string { s[2] = strings.Replace(s[2], "signer 1", "signer 2", 1); return s },
		"time":    func(s []string) []string { s[2] = strings.Replace(s[2], "2026", "2025", 1); return s },
		"order":   func(s []string) []string { s[1], s[2] = s[2], s[1]; return s },
		"none":    func([]string) []string { return nil },
		"garbage": func(s []string) []string { return append(s, "x") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l := open(t, dir, options())
			add(t, l, 10)
			closed(t, l)
			writeLines(t, dir, checkpointsFile, tamper(readLines(t, dir, checkpointsFile)))
			r := verify(t, dir)
			if r.OK() || r.Findings[0].Kind != BadCheckpoint {
				t.Errorf("findings %+v", r.Findings)
			}
		})
	}
}

func TestConcurrentAppends(t *testing.T) {
	t.Parallel()
	const goroutines, each = 16, 50
	dir := t.TempDir()
	l := open(t, dir, options())
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[uint64]string{}
	for range goroutines {
		all.Go(func() {
			for range each {
				rec, err := l.Append(context.Background(), Entry{Action: "a"})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[rec.Seq] = hex.EncodeToString(rec.Hash)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	closed(t, l)
	if r := verify(t, dir); !r.OK() || r.Entries != goroutines*each || len(seen) != goroutines*each {
		t.Errorf("report %+v, %d receipts", r, len(seen))
	}
	for i, text := range readLines(t, dir, entriesFile) {
		if seen[uint64(i)+1] != hashOf(text) {
			t.Fatalf("receipt %d does not match its line", i+1)
		}
	}
}

// failing is a file whose writes or syncs fail from the n-th on, after half a write.
type failing struct {
	file
	writes, syncs int
}

func (f *failing) Write(b []byte) (int, error) {
	if f.writes--; f.writes < 0 {
		n, _ := f.file.Write(b[:len(b)/2])
		return n, errors.New("disk full")
	}
	return f.file.Write(b)
}

func (f *failing) Sync() error {
	if f.syncs--; f.syncs < 0 {
		return errors.New("input/output error")
	}
	return f.file.Sync()
}

func TestFailureStopsTheLog(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]struct {
		file string
		f    failing
	}{
		"write":            {entriesFile, failing{writes: 2, syncs: 99}},
		"sync":             {entriesFile, failing{writes: 99, syncs: 3}}, // the first is of Open
		"checkpoint write": {checkpointsFile, failing{writes: 1, syncs: 99}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			o := options()
			o.openFile = func(name string) (file, error) {
				f, err := openFile(name)
				if filepath.Base(name) == bad.file {
					wrapped := bad.f
					wrapped.file = f
					return &wrapped, err
				}
				return f, err
			}
			l := open(t, dir, o)
			var acknowledged uint64
			for range 20 {
				rec, err := l.Append(context.Background(), Entry{Action: "a"})
				if err == nil && rec.Seq != acknowledged+1 {
					t.Fatalf("a gap before entry %d", rec.Seq)
				}
				if err == nil {
					acknowledged = rec.Seq
				} else if !errors.Is(err, ErrBroken) {
					t.Errorf("append: %v", err)
				}
			}
			if acknowledged < 2 || acknowledged > 5 {
				t.Errorf("%d entries acknowledged", acknowledged)
			}
			if err := l.Close(); !errors.Is(err, ErrBroken) {
				t.Errorf("close: %v", err)
			}
			l = open(t, dir, options())
			add(t, l, 1)
			closed(t, l)
			if r := verify(t, dir); !r.OK() || r.Entries < acknowledged+1 {
				t.Errorf("report %+v after %d acknowledged", r, acknowledged)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"seq":1,"prev":"00","time":"2026-03-01T08:30:00Z","action":"a"}`))
	f.Add([]byte(`{"seq":1,"seq":2}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := decode(b)
		if err == nil && !bytes.Equal(l.encode(), b) {
			t.Error("a line that is not canonical was accepted")
		}
		if list, n, _ := readCheckpoints(b); n > int64(len(b)) || len(list) > len(b) {
			t.Error("more checkpoints than bytes")
		}
	})
}

// BenchmarkAppend is what the signer asks for: many callers, each waiting until its entry
// of 400 bytes is on disk.
func BenchmarkAppend(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			o := options()
			o.EveryN = 0
			l := open(b, b.TempDir(), o)
			e := Entry{
				Action: "certificate.intent", Actor: "gateway", Subject: "00000000-0000-4000-8000-000000000000",
				Outcome: "success", Digest: strings.Repeat("0f", 32),
				Attributes: map[string]string{"issuer": "clinic-1", "profile": "who-ddcc-vs", "kid": "AAAAAAAAAAA="},
			}
			var left atomic.Int64
			left.Store(int64(b.N))
			waits := make([][]time.Duration, callers)
			var all sync.WaitGroup
			for c := range callers {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						begun := time.Now()
						if _, err := l.Append(context.Background(), e); err != nil {
							b.Error(err)
							return
						}
						waits[c] = append(waits[c], time.Since(begun))
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			sorted := slices.Sorted(slices.Values(slices.Concat(waits...)))
			b.ReportMetric(float64(sorted[len(sorted)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(sorted[len(sorted)*99/100].Microseconds()), "p99-us")
		})
	}
}

// rechain changes line i (from 0) and chains everything behind it anew.
func rechain(t *testing.T, s []string, i int) []string {
	t.Helper()
	for ; i < len(s); i++ {
		var l line
		if err := json.Unmarshal([]byte(s[i]), &l); err != nil {
			t.Fatal(err)
		}
		l.Actor, l.Prev = "somebody", hashOf(s[i-1])
		s[i] = string(l.encode())
	}
	return s
}

func readLines(t testing.TB, dir, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func writeLines(t testing.TB, dir, name string, lines []string) {
	t.Helper()
	text := ""
	for _, l := range lines {
		text += l + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func appendTo(t testing.TB, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
