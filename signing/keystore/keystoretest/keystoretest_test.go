package keystoretest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/keystoretest"
)

// memory is a store that passes, unless it has a flaw.
type memory struct {
	flaw string

	mu       sync.Mutex
	keys     map[string][]*ecdsa.PrivateKey // by label, in the order of versions
	disabled map[keystore.Ref]bool
	restarts int
}

func (m *memory) at(ctx context.Context, ref keystore.Ref) (*ecdsa.PrivateKey, error) {
	err := ref.Validate()
	if m.flaw == "asks the engine first" && ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	if ctx.Err() != nil && m.flaw != "does not heed the context" {
		return nil, fmt.Errorf("%w: %w", keystore.ErrUnavailable, ctx.Err())
	}
	keys := m.keys[ref.Label]
	if ref.Version > len(keys) {
		return nil, fmt.Errorf("%w: %s", keystore.ErrNoKey, ref)
	}
	if m.flaw == "signs with the latest" {
		return keys[len(keys)-1], nil
	}
	return keys[ref.Version-1], nil
}

func (m *memory) Public(ctx context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	private, err := m.at(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &private.PublicKey, nil
}

func (m *memory) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	private, err := m.at(ctx, ref)
	switch {
	case err != nil && m.flaw == "shows digests":
		return nil, fmt.Errorf("%w: for %x", err, digests)
	case err != nil && m.flaw == "has errors of its own":
		return nil, errors.New("no")
	case err != nil:
		return nil, err
	case m.disabled[ref] && m.flaw != "signs when disabled":
		return nil, fmt.Errorf("%w: %s", keystore.ErrDisabled, ref)
	case m.restarts > 0 && m.flaw == "stays away":
		return nil, keystore.ErrUnavailable
	case m.restarts > 0 && m.flaw == "forgets keys":
		return nil, keystore.ErrNoKey
	}
	var results []keystore.Result
	for i := range digests {
		if m.flaw == "mixes a batch up" {
			i = len(digests) - 1 - i
		}
		der, err := ecdsa.SignASN1(rand.Reader, private, digests[i][:])
		if err != nil {
			return nil, err
		}
		signature, err := keystore.SignatureFromASN1(der)
		results = append(results, keystore.Result{Signature: signature, Err: err})
	}
	return results, nil
}

func (m *memory) Create(ctx context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := keystore.Ref{Label: label, Version: len(m.keys[label]) + 1}
	if ref.Validate() != nil {
		return keystore.Ref{}, nil, keystore.ErrNoKey
	}
	if ctx.Err() != nil {
		return keystore.Ref{}, nil, keystore.ErrUnavailable
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	if m.flaw == "replaces versions" {
		for i := range m.keys[label] {
			m.keys[label][i] = private
		}
	}
	m.keys[label] = append(m.keys[label], private)
	return ref, &private.PublicKey, nil
}

func (m *memory) overwrite(t *testing.T, ref keystore.Ref) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flaw != "keeps overwritten keys" {
		m.keys[ref.Label][ref.Version-1] = private
	}
}

// flawVariable makes the test binary run the suite over a store with that flaw.
const flawVariable = "KEYSTORETEST_FLAW"

func TestSuite(t *testing.T) {
	t.Parallel()
	keystoretest.Run(t, func(*testing.T) keystoretest.Engine {
		m := &memory{flaw: os.Getenv(flawVariable), keys: map[string][]*ecdsa.PrivateKey{}, disabled: map[keystore.Ref]bool{}}
		restart := func(*testing.T) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.restarts++
		}
		return keystoretest.Engine{
			Maker: m, Open: func(*testing.T) keystore.Store { return m }, Overwrite: m.overwrite, Drop: restart, Restart: restart,
			Disable: func(_ *testing.T, ref keystore.Ref) {
				m.mu.Lock()
				defer m.mu.Unlock()
				m.disabled[ref] = true
			},
		}
	})
}

// TestSuiteFindsFlaws runs the suite over stores that break one rule each.
func TestSuiteFindsFlaws(t *testing.T) {
	t.Parallel()
	if os.Getenv(flawVariable) != "" {
		t.Skip("this is the process with the flaw")
	}
	for flaw, finder := range map[string]string{
		"signs with the latest":     "signs_with_the_version_named",
		"signs when disabled":       "does_not_sign_with_a_disabled_version",
		"keeps overwritten keys":    "never_passes_an_overwritten_key_off",
		"mixes a batch up":          "keeps_the_order_of_a_batch",
		"replaces versions":         "never_replaces_a_version",
		"shows digests":             "knows_no_other_key",
		"has errors of its own":     "knows_no_other_key",
		"asks the engine first":     "refuses_malformed_references",
		"does not heed the context": "heeds_the_context",
		"stays away":                "outlives_lost_sessions",
		"forgets keys":              "outlives_a_restart",
	} {
		t.Run(flaw, func(t *testing.T) {
			t.Parallel()
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuite$/^"+finder+"$", "-test.v")
			command.Env = append(os.Environ(), flawVariable+"="+flaw)
			out, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestSuite/"+finder) {
				t.Errorf("%s passes: %v\n%s", finder, err, out)
			}
		})
	}
}
