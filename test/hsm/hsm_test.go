//go:build cgo

package hsm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/keystoretest"
	store "github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
)

// The tests of this package share one process-wide library and one login, and some take
// them away, so none of them is parallel.

// TestConformance runs the suite of the port. The engine is a library in this process:
// losing every session is a logout under the stores' feet, and a restart is that together
// with another process that comes and finds the same keys.
func TestConformance(t *testing.T) {
	token := needToken(t)
	keystoretest.Run(t, func(t *testing.T) keystoretest.Engine {
		maker := open(t, token.Config())
		l := load(t, token)
		return keystoretest.Engine{
			Maker:   maker,
			Open:    func(t *testing.T) keystore.Store { return open(t, token.Config()) },
			Disable: func(_ *testing.T, ref keystore.Ref) { l.disable(ref) },
			Overwrite: func(_ *testing.T, ref keystore.Ref) {
				l.destroy(ref, pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY)
				l.plant(ref)
			},
			Drop: func(*testing.T) { l.logout() },
			Restart: func(t *testing.T) {
				l.logout()
				ref, _, err := maker.Create(t.Context(), "restart-"+fmt.Sprint(time.Now().UnixNano()))
				if err != nil && !errors.Is(err, keystore.ErrUnavailable) {
					t.Error(err)
				} else if err == nil {
					elsewhere(t, token, "public", ref)
				}
			},
			Secrets: []string{token.PIN},
		}
	})
}

func create(t testing.TB, s *store.Store) keystore.Ref {
	t.Helper()
	ref, _, err := s.Create(t.Context(), fmt.Sprintf("key-%d", time.Now().UnixNano()))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func sign(t testing.TB, s *store.Store, ref keystore.Ref) error {
	t.Helper()
	_, err := s.Sign(t.Context(), ref, []keystore.Digest{{1}})
	return err
}

func mustSign(t testing.TB, s *store.Store, ref keystore.Ref) {
	t.Helper()
	if err := sign(t, s, ref); err != nil {
		t.Errorf("%s: %v", ref, err)
	}
}

// TestLibraryIsPulledAway: what a token may do to a quiet process. SoftHSM does not
// survive these while calls are under way, so they are not part of the suite.
func TestLibraryIsPulledAway(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	for name, pull := range map[string]func(*library) error{
		"every session closed": func(l *library) error { return l.CloseAllSessions(l.slot) },
		"library finalised":    func(l *library) error { return l.Finalize() },
		"finalised and initialised by another": func(l *library) error {
			return errors.Join(l.Finalize(), l.Initialize())
		},
	} {
		mustSign(t, s, ref)
		if err := pull(load(t, token)); err != nil {
			t.Fatal(name, err)
		}
		mustSign(t, s, ref) // not one failure
		if _, err := s.Public(t.Context(), ref); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Public(t.Context(), keystore.Ref{Label: "no-such", Version: 1}); !errors.Is(err, keystore.ErrNoKey) {
			t.Errorf("%s: unknown key: %v", name, err)
		}
	}
}

// TestLoggedOutTokenHidesNoKeys: without a login private keys are invisible. That is a
// lost session, not the absence of a key.
func TestLoggedOutTokenHidesNoKeys(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	load(t, token).logout()
	if _, err := s.Public(t.Context(), ref); err != nil {
		t.Errorf("%s: %v", ref, err)
	}
	load(t, token).logout()
	// A create that goes on from an empty list would make version 1 again.
	second, _, err := s.Create(t.Context(), ref.Label)
	if errors.Is(err, keystore.ErrUnavailable) {
		second, _, err = s.Create(t.Context(), ref.Label)
	}
	if err != nil || second.Version != 2 {
		t.Errorf("create after a logout gives %s, %v", second, err)
	}
}

func TestPrivateKeysStayInTheToken(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	l := load(t, token)
	l.session(func(session pkcs11.SessionHandle) {
		private := l.private(session, ref)
		for attribute, want := range map[uint]bool{
			pkcs11.CKA_TOKEN: true, pkcs11.CKA_PRIVATE: true, pkcs11.CKA_SENSITIVE: true, pkcs11.CKA_ALWAYS_SENSITIVE: true,
			pkcs11.CKA_EXTRACTABLE: false, pkcs11.CKA_NEVER_EXTRACTABLE: true,
			pkcs11.CKA_SIGN: true, pkcs11.CKA_DERIVE: false,
		} {
			got, err := l.GetAttributeValue(session, private, []*pkcs11.Attribute{pkcs11.NewAttribute(attribute, nil)})
			if err != nil || (got[0].Value[0] == 1) != want {
				t.Errorf("attribute %#x is %v, %v; want %v", attribute, got, err, want)
			}
		}
		if _, err := l.GetAttributeValue(session, private, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)}); err == nil {
			t.Error("the token gives the private key away")
		}
	})
}

func TestTwoKeysOfOneNameSignNothing(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	load(t, token).plant(ref)
	if err := sign(t, open(t, token.Config()), ref); !errors.Is(err, keystore.ErrOverwritten) {
		t.Errorf("signing gives %v", err)
	}
	if _, err := s.Public(t.Context(), ref); !errors.Is(err, keystore.ErrOverwritten) {
		t.Errorf("the public key gives %v", err)
	}
}

// TestDestroyedKey: the public key that stays keeps the number of a version taken.
func TestDestroyedKey(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	mustSign(t, s, ref)
	load(t, token).destroy(ref, pkcs11.CKO_PRIVATE_KEY)
	if err := sign(t, s, ref); !errors.Is(err, keystore.ErrNoKey) {
		t.Errorf("signing gives %v", err)
	}
	if next, _, err := s.Create(t.Context(), ref.Label); err != nil || next.Version != 2 {
		t.Errorf("create gives %s, %v", next, err)
	}
}

// TestStrangeKeysUnderOurLabel: a key that an operator imported under another id must not
// lead to a number that is taken.
func TestStrangeKeysUnderOurLabel(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	l := load(t, token)
	l.session(func(session pkcs11.SessionHandle) {
		l.must(l.SetAttributeValue(session, l.private(session, ref), []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{1})}))
	})
	if _, _, err := s.Create(t.Context(), ref.Label); !errors.Is(err, keystore.ErrExists) {
		t.Errorf("create gives %v", err)
	}
}

func TestOtherProcessesMakeKeys(t *testing.T) {
	token := needToken(t)
	s := open(t, token.Config())
	ref := create(t, s)
	if got := elsewhere(t, token, "create", ref); got != ref.Label+":2" {
		t.Errorf("another process made %q", got)
	}
	second := keystore.Ref{Label: ref.Label, Version: 2}
	mustSign(t, s, second)
	public, err := s.Public(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if got := elsewhere(t, token, "public", second); got != fmt.Sprintf("%x", public.X) {
		t.Error("two processes see two keys under one name")
	}
	if third, _, err := s.Create(t.Context(), ref.Label); err != nil || third.Version != 3 {
		t.Errorf("create gives %s, %v", third, err)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	token := needToken(t)
	wrong := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(wrong, []byte("not-the-pin"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(*store.Config)
		want   string
	}{
		"library": {func(c *store.Config) { c.Module = wrong }, "module"},
		"token":   {func(c *store.Config) { c.TokenLabel = "no-such-token" }, "token"},
		"PIN":     {func(c *store.Config) { c.PIN = config.SecretFile(wrong) }, "refuses the PIN"},
		"no PIN":  {func(c *store.Config) { c.PIN = "/nonexistent" }, "secret file"},
	} {
		c := token.Config()
		tc.change(&c)
		s, err := store.Open(t.Context(), c)
		if err == nil {
			s.Close()
			t.Errorf("%s: opens", name)
			continue
		}
		if !errors.Is(err, keystore.ErrUnavailable) || !strings.Contains(err.Error(), tc.want) ||
			strings.Contains(err.Error(), "not-the-pin") || strings.Contains(err.Error(), token.PIN) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	token := needToken(b)
	s := open(b, token.Config())
	ref := create(b, s)
	for _, callers := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan error, callers)
			for range callers {
				go func() {
					for left.Add(-1) >= 0 {
						if err := sign(b, s, ref); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range callers {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sig/s")
		})
	}
	b.Run("batch=256", func(b *testing.B) {
		digests := make([]keystore.Digest, 256)
		for b.Loop() {
			if _, err := s.Sign(b.Context(), ref, digests); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*256)/b.Elapsed().Seconds(), "sig/s")
	})
}
