package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/coalesce"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// memoryStore signs with one key, and spoils what it is told to.
type memoryStore struct {
	private *ecdsa.PrivateKey
	takes   time.Duration
	spoil   func(keystore.Digest) bool
}

func newMemoryStore(t *testing.T) *memoryStore {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &memoryStore{private: private, spoil: func(keystore.Digest) bool { return false }}
}

func (m *memoryStore) Public(context.Context, keystore.Ref) (*ecdsa.PublicKey, error) {
	return &m.private.PublicKey, nil
}

func (m *memoryStore) Sign(_ context.Context, _ keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	time.Sleep(m.takes)
	results := make([]keystore.Result, len(digests))
	for i, digest := range digests {
		der, err := ecdsa.SignASN1(rand.Reader, m.private, digest[:])
		if err != nil {
			return nil, err
		}
		if results[i].Signature, results[i].Err = keystore.SignatureFromASN1(der); m.spoil(digest) {
			new(big.Int).SetInt64(1).FillBytes(results[i].Signature[:])
		}
	}
	return results, nil
}

func (m *memoryStore) signatures() *signatures {
	return &signatures{key: keystore.Key{Ref: keystore.Ref{Label: "dsc-test", Version: 1}}.Held(m), public: &m.private.PublicKey}
}

// The rows on a store that is not Vault, with the clock of a bubble: an engine that takes
// 5 ms a call, whatever the machine does.
func TestSigningRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, waits := newMemoryStore(t), &batchWaits{}
		store.takes = 5 * time.Millisecond
		batches, err := coalesce.New(store, coalesce.Options{Observe: waits.observe})
		if err != nil {
			t.Fatal(err)
		}
		together := store.signatures()
		together.key = together.key.Held(batches)
		b := &bench{
			streams: streams{ctx: t.Context(), stderr: io.Discard}, benchCmd: benchCmd{storeFlags: storeFlags{KeyStore: "vault"}},
			plan: benchPlan{signRounds: 2, signRound: 42 * time.Millisecond}, progress: newBenchProgress(io.Discard, false),
			vault: &vaultBench{together: together, alone: store.signatures(), waits: waits},
		}
		m, err := b.vaultSign()
		if err != nil {
			t.Fatal(err)
		}
		// 32 callers alone make 8 signatures each in 42 ms.
		if len(m.live) != 1 || math.Abs(m.live[0].Value-32*8/0.042) > 1 || m.value.Min <= m.live[0].Value {
			t.Errorf("vault-sign: %+v", m)
		}
		if m, err = b.vaultSignLatency(); err != nil {
			t.Fatal(err)
		}
		if v := m.value; v.Max > 2 || strings.Count(m.note, "at a time") != len(lowLoads) || !strings.Contains(m.note, "against 5 ms without") {
			t.Errorf("vault-sign-latency: %+v", m)
		}
		store.spoil = func(keystore.Digest) bool { return true }
		for name, row := range map[string]func() (measurement, error){"vault-sign": b.vaultSign, "vault-sign-latency": b.vaultSignLatency} {
			if _, err := row(); err == nil {
				t.Errorf("%s counts signatures that do not verify", name)
			}
		}
	})
}

func TestVaultRowsNameWhatTheyNeed(t *testing.T) {
	t.Parallel()
	var none notMeasured
	for _, store := range []string{"", "software", "pkcs11"} {
		b := &bench{benchCmd: benchCmd{storeFlags: storeFlags{KeyStore: store}}}
		for name, row := range map[string]func() (measurement, error){"vault-sign": b.vaultSign, "vault-sign-latency": b.vaultSignLatency} {
			if _, err := row(); !errors.As(err, &none) || !strings.Contains(none.reason, "Vault") {
				t.Errorf("%s on %q: %v", name, store, err)
			}
		}
	}
}

func TestVerifySignatures(t *testing.T) {
	t.Parallel()
	store := newMemoryStore(t)
	made := func(n int) *signatures {
		s := store.signatures()
		for range n {
			if err := s.sign(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	if n, err := verifySignatures(made(5*keptSignature), made(keptSignature)); err != nil || n != 6 {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := verifySignatures(made(keptSignature - 1)); err == nil {
		t.Error("nothing to verify passes")
	}
	twice := made(keptSignature)
	if _, err := verifySignatures(twice); err != nil {
		t.Fatal(err)
	}
	if _, err := verifySignatures(twice); err == nil {
		t.Error("signatures of earlier rounds count again")
	}
	seen := map[keystore.Digest]bool{}
	store.spoil = func(d keystore.Digest) bool { seen[d] = true; return len(seen) == 2*keptSignature }
	if n, err := verifySignatures(made(3 * keptSignature)); err == nil || n != 1 {
		t.Errorf("a spoiled signature passes: %d, %v", n, err)
	}
	if len(seen) != 3*keptSignature {
		t.Errorf("%d digests in %d signatures", len(seen), 3*keptSignature)
	}
	refused := (&signatures{key: keystore.Key{}}).sign(t.Context())
	if !errors.Is(refused, keystore.ErrDisabled) {
		t.Errorf("a refusal counts as a signature: %v", refused)
	}
}

func TestBatchWaits(t *testing.T) {
	t.Parallel()
	var w batchWaits
	w.observe(3, 2*time.Millisecond, 0)
	w.observe(1, time.Millisecond, 0)
	taken := w.take()
	want := []time.Duration{2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond, time.Millisecond}
	if !slices.Equal(taken.waits, want) || taken.size() != 2 {
		t.Errorf("got %v, %v a batch", taken.waits, taken.size())
	}
	if again := w.take(); len(again.waits) != 0 || again.size() != 0 {
		t.Errorf("taken twice: %v", again)
	}
}

func TestWorstLatency(t *testing.T) {
	t.Parallel()
	one := lowLoad{p99: []float64{0.5, 0.1}, together: []float64{1, 2}, alone: []float64{0.9, 1}}
	eight := lowLoad{p99: []float64{0.2, 3}, together: []float64{1, 1}, alone: []float64{4, 4}}
	if got := eight.worst(one.worst(nil)); !slices.Equal(got, []float64{0.5, 3}) {
		t.Errorf("got %v", got)
	}
	if got := one.worst(nil); !slices.Equal(got, []float64{0.5, 1}) {
		t.Errorf("got %v", got)
	}
}

func TestSignerVault(t *testing.T) {
	t.Parallel()
	c := benchCmd{SignerFlag: []string{"--key-store=vault", "--vault-address=https://127.0.0.1:1", "--audit-level=x", "--vault-auth=cert", "--vault-max-in-flight=3"}}
	got, err := c.signerVault()
	want := vault.Config{Address: "https://127.0.0.1:1", Auth: "cert", MaxInFlight: 3, Mount: "transit"}
	if err != nil || got.Address != want.Address || got.Auth != want.Auth || got.MaxInFlight != want.MaxInFlight || got.Mount != want.Mount {
		t.Errorf("got %+v, %v", got, err)
	}
	c.SignerFlag = []string{"--vault-server=https://127.0.0.1:1"}
	if _, err := c.signerVault(); !errors.Is(err, errUsage) {
		t.Errorf("got %v", err)
	}
}
