package revocation_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

func batch(change func(*revocation.Batch)) revocation.Batch {
	b := revocation.Batch{
		Country: "XX", Expires: until, KID: []byte{1, 2, 3, 4, 5, 6, 7, 8}, HashType: revocation.HashUCI,
		Entries: []revocation.Hash{revocation.UCIHash("URN:UVCI:01:NL:187/37512422923")},
	}
	if change != nil {
		change(&b)
	}
	return b
}

const batchText = `{"country":"XX","expires":"2027-06-30T23:59:59Z","kid":"AQIDBAUGBwg=","hashType":"UCI","entries":[{"hash":"J7bCHETd+7jgcjn6CpElEA=="}]}`

func TestBatchIsTheJSONOfTheEU(t *testing.T) {
	t.Parallel()
	raw, err := batch(nil).Encode()
	must(t, err)
	if string(raw) != batchText {
		t.Errorf("%s", raw)
	}
	unknown, err := batch(func(b *revocation.Batch) { b.KID = nil }).Encode()
	must(t, err)
	if !strings.Contains(string(unknown), `"kid":"UNKNOWN_KID"`) {
		t.Errorf("%s", unknown)
	}
	// The patterns of the gateway's schema.
	for member, pattern := range map[string]string{
		"kid": `"kid":"([A-Za-z0-9+/=]{11,12})"`, "hash": `"hash":"[A-Za-z0-9+/]{22}=="`, "expires": `"expires":"[0-9-]{10}T[0-9:]{8}Z"`,
	} {
		if !regexp.MustCompile(pattern).Match(raw) {
			t.Errorf("%s does not match the schema", member)
		}
	}
	id := revocation.BatchID(raw)
	if !revocation.IsBatchID(id) || id[14] != '8' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("%s is no UUID of version 8", id)
	}
	if other := revocation.BatchID(unknown); other == id {
		t.Error("two batches have one id")
	}
}

func TestBatchesOfOthersAreRead(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"own":         batchText,
		"white space": strings.ReplaceAll(batchText, `,"`, ", \n\""),
		"no padding":  strings.ReplaceAll(batchText, "AQIDBAUGBwg=", "AQIDBAUGBwg"),
		"offset":      strings.ReplaceAll(batchText, "2027-06-30T23:59:59Z", "2027-07-01T01:59:59+02:00"),
		"fractions":   strings.ReplaceAll(batchText, "2027-06-30T23:59:59Z", "2027-06-30T23:59:58.250Z"),
		"other order": `{"entries":[{"hash":"J7bCHETd+7jgcjn6CpElEA=="}],"hashType":"UCI","kid":"AQIDBAUGBwg=","expires":"2027-06-30T23:59:59Z","country":"XX"}`,
	} {
		b, err := revocation.ParseBatch([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if raw, err := b.Encode(); err != nil || string(raw) != batchText {
			t.Errorf("%s: %s, %v", name, raw, err)
		}
	}
	b, err := revocation.ParseBatch([]byte(strings.ReplaceAll(batchText, "AQIDBAUGBwg=", "UNKNOWN_KID")))
	if err != nil || b.KID != nil {
		t.Errorf("unknown key: %v", err)
	}
}

func TestBadBatchesAreRefused(t *testing.T) {
	t.Parallel()
	change := func(old, with string) string { return strings.ReplaceAll(batchText, old, with) }
	many := strings.Repeat(`{"hash":"J7bCHETd+7jgcjn6CpElEA=="},`, 1000)
	for name, text := range map[string]string{
		"empty": "", "not JSON": "MIIB", "two values": batchText + batchText, "byte order mark": "\ufeff" + batchText,
		"country, small": change(`"XX"`, `"xx"`), "country, alpha-3": change(`"XX"`, `"XXX"`), "no country": change(`"country":"XX",`, ""),
		"expires, date": change("2027-06-30T23:59:59Z", "2027-06-30"), "expires, number": change(`"2027-06-30T23:59:59Z"`, "1"), "no expires": change(`"expires":"2027-06-30T23:59:59Z",`, ""),
		"kid, short": change("AQIDBAUGBwg=", "AQIDBAUGBw"), "kid, long": change("AQIDBAUGBwg=", "AQIDBAUGBwgJ"), "kid, url": change("AQIDBAUGBwg=", "AQ-DBAUGBwg="), "kid, bits": change("AQIDBAUGBwg=", "AQIDBAUGBwh="), "kid, word": change("AQIDBAUGBwg=", "UNKNOWN_KEY"),
		"type": change(`"UCI"`, `"RID"`), "type, case": change(`"UCI"`, `"uci"`), "hash, short": change("J7bCHETd+7jgcjn6CpElEA==", "J7bCHETd+7jgcjn6CpElE=="), "hash, hex": change("J7bCHETd+7jgcjn6CpElEA==", "27b6c21c44ddfbb8e07239fa0a912510"),
		"hash, bits": change("ElEA==", "ElEB=="), "hash, unpadded": change("ElEA==", "ElEA"), "no entries": change(`{"hash":"J7bCHETd+7jgcjn6CpElEA=="}`, ""), "entries, null": change(`[{"hash":"J7bCHETd+7jgcjn6CpElEA=="}]`, "null"),
		"too many": change(`{"hash":"J7bCHETd+7jgcjn6CpElEA=="}`, many+`{"hash":"J7bCHETd+7jgcjn6CpElEA=="}`),
		"unknown":  change(`"country"`, `"x":1,"country"`), "twice": change(`"country"`, `"country":"YY","country"`), "case": change(`"country"`, `"Country"`), "deep": strings.Repeat("[", 100), "large": strings.Repeat(" ", 200<<10),
	} {
		_, err := revocation.ParseBatch([]byte(text))
		if !errors.Is(err, revocation.ErrBatch) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "J7bC") {
			t.Errorf("%s: the error repeats a value", name)
		}
	}
	for name, b := range map[string]revocation.Batch{
		"country": batch(func(b *revocation.Batch) { b.Country = "" }), "expires": batch(func(b *revocation.Batch) { b.Expires = time.Time{} }),
		"fraction": batch(func(b *revocation.Batch) { b.Expires = until.Add(1) }), "kid": batch(func(b *revocation.Batch) { b.KID = []byte{1} }),
		"type": batch(func(b *revocation.Batch) { b.HashType = revocation.HashRID }), "entries": batch(func(b *revocation.Batch) { b.Entries = nil }),
		"1001": batch(func(b *revocation.Batch) { b.Entries = hashesOf(0, 1001) }),
	} {
		if _, err := b.Encode(); !errors.Is(err, revocation.ErrBatch) {
			t.Errorf("%s is encoded: %v", name, err)
		}
	}
}

func sorted(hashes []revocation.Hash) []revocation.Hash {
	hashes = slices.Clone(hashes)
	slices.SortFunc(hashes, revocation.CompareHashes)
	return slices.Compact(hashes)
}

func TestSplit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n, from := rapid.IntRange(0, 6000).Draw(r, "hashes"), rapid.IntRange(0, 1<<20).Draw(r, "from")
		common := rapid.IntRange(0, 15).Draw(r, "common bytes") // a hostile set
		hashes := hashesOf(from, from+n)
		for i := range hashes {
			copy(hashes[i][:common], make([]byte, common))
		}
		hashes = sorted(hashes)
		parts := revocation.Split(hashes)
		if !slices.Equal(slices.Concat(parts...), hashes) {
			r.Fatal("a hash is lost or moved")
		}
		for _, part := range parts {
			if len(part) == 0 || len(part) > revocation.MaxBatchEntries {
				r.Fatalf("a part of %d", len(part))
			}
		}
	})
}

// TestANewRevocationChangesOneBatch: devices fetch one batch, not all behind it.
func TestANewRevocationChangesOneBatch(t *testing.T) {
	t.Parallel()
	ids := func(hashes []revocation.Hash) map[string]bool {
		out := map[string]bool{}
		for _, part := range revocation.Split(sorted(hashes)) {
			raw, err := batch(func(b *revocation.Batch) { b.Entries = part }).Encode()
			must(t, err)
			out[revocation.BatchID(raw)] = true
		}
		return out
	}
	before, after := ids(hashesOf(0, 20_000)), ids(hashesOf(0, 20_001))
	gone, fresh := 0, 0
	for id := range before {
		if !after[id] {
			gone++
		}
	}
	for id := range after {
		if !before[id] {
			fresh++
		}
	}
	if gone != 1 || fresh < 1 || fresh > 2 {
		t.Errorf("%d of %d batches are gone, %d are new", gone, len(before), fresh)
	}
}

func TestBatchList(t *testing.T) {
	t.Parallel()
	raw, err := batch(nil).Encode()
	must(t, err)
	ref := revocation.BatchRef{ID: revocation.BatchID(raw), SHA256: strings.Repeat("0a", 32), Size: len(raw), Count: 1, KID: "AQIDBAUGBwg=", HashType: revocation.HashUCI, Expires: until}
	list, err := revocation.EncodeBatchList("XX", []revocation.BatchRef{ref})
	must(t, err)
	country, refs, err := revocation.ParseBatchList(list)
	if err != nil || country != "XX" || len(refs) != 1 || refs[0] != ref {
		t.Errorf("%s, %v, %v", country, refs, err)
	}
	empty, err := revocation.EncodeBatchList("XX", nil)
	must(t, err)
	if _, refs, err := revocation.ParseBatchList(empty); err != nil || len(refs) != 0 {
		t.Error(err)
	}
	for name, change := range map[string]func(*revocation.BatchRef){
		"id": func(r *revocation.BatchRef) { r.ID = strings.ToUpper(r.ID) }, "digest": func(r *revocation.BatchRef) { r.SHA256 = "00" },
		"size": func(r *revocation.BatchRef) { r.Size = 0 }, "count": func(r *revocation.BatchRef) { r.Count = 1001 }, "kid": func(r *revocation.BatchRef) { r.KID = "AQIDBAUGBwg" },
		"type": func(r *revocation.BatchRef) { r.HashType = "X" }, "expires": func(r *revocation.BatchRef) { r.Expires = time.Time{} },
	} {
		bad := ref
		change(&bad)
		if _, err := revocation.EncodeBatchList("XX", []revocation.BatchRef{bad}); !errors.Is(err, revocation.ErrBatchList) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"twice": strings.Replace(string(list), `[{`, `[`+string(list[bytes.IndexByte(list, '[')+1:len(list)-2])+`,{`, 1), "country": strings.Replace(string(list), "XX", "xx", 1),
		"version": strings.Replace(string(list), `"version":1`, `"version":2`, 1), "null": `{"version":1,"country":"XX","batches":null}`, "unknown": strings.Replace(string(list), `"country"`, `"x":1,"country"`, 1),
	} {
		if _, _, err := revocation.ParseBatchList([]byte(text)); !errors.Is(err, revocation.ErrBatchList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseBatch(f *testing.F) {
	f.Add([]byte(batchText))
	f.Add([]byte(strings.ReplaceAll(batchText, "AQIDBAUGBwg=", "UNKNOWN_KID")))
	f.Add([]byte(strings.ReplaceAll(batchText, "2027-06-30T23:59:59Z", "2027-06-30T23:59:58.9+14:00")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := revocation.ParseBatch(raw)
		if err != nil {
			return
		}
		again, err := b.Encode()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if other, err := revocation.ParseBatch(again); err != nil || fmt.Sprint(other) != fmt.Sprint(b) {
			t.Errorf("read differently: %v", err)
		}
	})
}

func FuzzParseBatchList(f *testing.F) {
	f.Add([]byte(`{"version":1,"country":"XX","batches":[]}`))
	f.Add([]byte(`{"version":1,"country":"XX","batches":[{"batchId":"01234567-89ab-8def-8123-456789abcdef","sha256":"` + strings.Repeat("0a", 32) + `","size":1,"count":1,"kid":"UNKNOWN_KID","hashType":"UCI","expires":"2027-06-30T23:59:59Z"}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		country, refs, err := revocation.ParseBatchList(raw)
		if err != nil {
			return
		}
		if _, err := revocation.EncodeBatchList(country, refs); err != nil {
			t.Error(err)
		}
	})
}
