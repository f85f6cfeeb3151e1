package revocation_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	format "github.com/trustedparty/ddcc-gateway/formats/revocation"
	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/revocation"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

var begin = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const thumbprint = "3Kfdg-XwP-7gXyywtUfUADwBumDOPKMQx-iELL11W9s"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hashOf is the n-th of a fixed sequence of random hashes.
func hashOf(n int) format.Hash {
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(n))
	sum := sha256.Sum256(number[:])
	return format.Hash(sum[:])
}

// dcc is the n-th EU DCC of a fixed sequence; its hashes are 3n to 3n+2.
func dcc(n int) format.Entry {
	return format.Entry{
		KID: []byte{1, 2, 3, 4, 5, 6, 7, byte(n % 3)}, Format: format.FormatDCC, RevokedAt: begin, ExpiresAt: begin.AddDate(0, n%20+1, 0),
		Signature: hashOf(3 * n), UCI: hashOf(3*n + 1), CountryUCI: hashOf(3*n + 2),
	}
}

// card is the n-th SMART Health Card.
func card(n int) format.Entry {
	return format.Entry{Format: format.FormatSHC, SHCKID: thumbprint, RID: "rid" + strconv.Itoa(n), Signature: hashOf(1<<40 + n), RevokedAt: begin}
}

func identityOf(e format.Entry) revocation.Identity {
	rid, _, _ := format.SplitRID(e.RID)
	return revocation.Identity{KID: e.KID, Signature: e.Signature, UCI: e.UCI, CountryUCI: e.CountryUCI, RID: rid, SHCKID: e.SHCKID, NotBefore: begin.AddDate(-1, 0, 0)}
}

// memory is a source and a clock that tests change.
type memory struct {
	mu      sync.Mutex
	entries []format.Entry
	now     time.Time
	err     error
	page    int
}

func (m *memory) Revoked(_ context.Context, after string, limit int) ([]format.Entry, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.page > 0 {
		limit = m.page
	}
	from, _ := strconv.Atoi(after)
	end := min(len(m.entries), from+limit)
	next := ""
	if end < len(m.entries) {
		next = strconv.Itoa(end)
	}
	return slices.Clone(m.entries[min(from, end):end]), next, m.err
}

func (m *memory) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *memory) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// signer signs manifests as the signing service does, and keeps the last sequence and the
// counters of card lists.
type signer struct {
	key   trusttest.Signer
	clock func() time.Time

	mu     sync.Mutex
	last   uint64
	cards  map[string]uint64
	calls  int
	err    error
	change func(*format.Manifest)
}

func (s *signer) SignRevocations(ctx context.Context, claims format.Claims) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err != nil {
		return nil, s.err
	}
	now := s.clock().UTC().Truncate(time.Second)
	m := format.Manifest{Claims: claims, IssuedAt: now, NextUpdate: now.Add(24 * time.Hour)}
	if s.change != nil {
		s.change(&m)
	}
	payload, err := m.Encode()
	if err != nil {
		return nil, err
	}
	if claims.Sequence <= s.last {
		return nil, format.ErrSequence
	}
	cards := map[string]uint64{}
	for _, a := range claims.Artefacts {
		if a.Kind == format.KindCRL {
			cards[a.KID] = a.CTR
		}
	}
	for kid, counter := range s.cards {
		if cards[kid] < counter {
			return nil, format.ErrCounter
		}
	}
	s.last, s.cards = claims.Sequence, cards
	return s.sign(ctx, payload)
}

func (s *signer) sign(ctx context.Context, payload []byte) ([]byte, error) {
	input := format.SigningInput(trust.KID(s.key.Cert), payload)
	signature, err := s.key.Sign(ctx, sha256.Sum256(input))
	return base64.RawURLEncoding.AppendEncode(append(input, '.'), signature[:]), err
}

// site is a publisher with everything around it.
type site struct {
	*memory
	signer *signer
	list   *trust.List
	config revocation.PublisherConfig
}

func newSite(t testing.TB, entries ...format.Entry) *site {
	t.Helper()
	ca := trusttest.CSCA(t)
	key := ca.ListSigner(t)
	m := &memory{entries: entries, now: begin}
	s := &site{memory: m, signer: &signer{key: key, clock: m.clock}, list: trusttest.List(t, ca.Entry(key.Pair, trust.UsageTrustList))}
	s.config = revocation.PublisherConfig{
		Source: m, Signer: s.signer, Keys: func() (revocation.Keys, error) { return s.list, nil }, Country: "XX", Dir: t.TempDir(),
		Interval: time.Minute, Retry: time.Second, Timeout: time.Minute, Now: m.clock, Log: slog.New(slog.DiscardHandler),
	}
	return s
}

func (s *site) publisher(t testing.TB) *revocation.Publisher {
	t.Helper()
	p, err := revocation.NewPublisher(s.config)
	must(t, err)
	return p
}

// published refreshes and gives the publication.
func published(t testing.TB, p *revocation.Publisher) *revocation.Publication {
	t.Helper()
	must(t, p.Refresh(t.Context()))
	publication, err := p.Current()
	must(t, err)
	return publication
}

func read(t testing.TB, r revocation.Representation) []byte {
	t.Helper()
	raw, err := io.ReadAll(r.Content)
	must(t, err)
	return raw
}

// mirror is what a verifier fetches for later: the manifest, the filters, and what is named.
func mirror(t testing.TB, p *revocation.Publication, kinds ...string) files {
	t.Helper()
	out := files{"manifest.jws": read(t, p.SignedManifest())}
	for _, a := range p.Manifest.Artefacts {
		switch {
		case !slices.Contains(kinds, a.Kind):
		case a.Kind == format.KindSlices:
			kid, err := base64.StdEncoding.DecodeString(a.KID)
			must(t, err)
			for i := range 1 << (8 * a.Depth) {
				prefix := []byte{byte(i >> 8), byte(i)}[2-a.Depth:]
				slice, ok, err := p.Slice(format.KID(kid), prefix)
				if err != nil || !ok {
					t.Fatalf("slice %x: %v", prefix, err)
				}
				out[revocation.SlicePath(format.KID(kid), prefix)] = read(t, slice)
			}
		default:
			r, ok := p.Artefact(a.Name)
			if !ok {
				t.Fatalf("%s is not served", a.Name)
			}
			out[a.Name] = read(t, r)
		}
	}
	return out
}
