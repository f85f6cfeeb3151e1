package pkcs11

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alecthomas/kong"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

func TestALostSessionIsOneLoginForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		s := start(t, d, settings(t))
		s.mustSign(t)
		d.set(func() { d.epoch++ })
		var wait sync.WaitGroup
		for range 32 {
			wait.Go(func() { s.mustSign(t) }) // not one of them fails
		}
		wait.Wait()
		if d.opened != 2 || d.closed != 1 {
			t.Errorf("%d logins and %d connections closed, want 2 and 1", d.opened, d.closed)
		}
		s.Close()
		if d.closed != 2 {
			t.Error("Close leaves a connection")
		}
		unavailable(t, s.one(t))
	})
}

func TestASessionThatKeepsGettingLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		s := start(t, d, settings(t))
		d.set(func() { d.forever = true })
		unavailable(t, s.one(t))
		if d.opened != 2 {
			t.Errorf("%d logins for one signature, want one more than at the start", d.opened)
		}
		d.set(func() { d.forever = false })
		s.mustSign(t)
		s.Close()
	})
}

func TestAKeyThatMovedIsLookedUpAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		s := start(t, d, settings(t))
		for range 3 {
			s.mustSign(t)
		}
		if d.looked != 1 {
			t.Errorf("%d look-ups for three signatures", d.looked)
		}
		d.set(func() { d.moved++ })
		s.mustSign(t)
		if d.looked != 2 || d.opened != 1 {
			t.Errorf("%d look-ups, %d logins", d.looked, d.opened)
		}
		s.Close()
	})
}

func TestAKeyIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		s := start(t, d, settings(t))
		d.set(func() { d.epoch++ })
		_, _, err := s.Create(t.Context(), "dsc")
		unavailable(t, err)
		if d.created != 1 {
			t.Errorf("%d attempts", d.created)
		}
		if got, _, err := s.Create(t.Context(), "dsc"); err != nil || got != ref {
			t.Errorf("the next create gives %s, %v", got, err)
		}
		s.Close()
	})
}

// TestAnHSMThatHangs: callers go at their deadline or at Timeout; what hangs in the
// library is as many calls as there are sessions for signing, and it comes back.
func TestAnHSMThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		c := settings(t)
		s := start(t, d, c)
		release := make(chan struct{})
		d.set(func() { d.hang = release })
		var wait sync.WaitGroup
		for i := range 200 {
			wait.Go(func() {
				ctx, want := context.Background(), c.Timeout
				if i%2 == 0 {
					want = 300 * time.Millisecond
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, want)
					defer cancel()
				}
				begun := time.Now()
				_, err := s.Sign(ctx, ref, []keystore.Digest{{1}})
				unavailable(t, err)
				if took := time.Since(begun); took != want {
					t.Errorf("a caller waited %v, want %v", took, want)
				}
			})
		}
		wait.Wait()
		if d.most != c.MaxSessions-idle {
			t.Errorf("%d calls hang, want %d", d.most, c.MaxSessions-idle)
		}
		d.set(func() { d.hang = nil })
		close(release)
		synctest.Wait()
		s.mustSign(t)
		s.Close()
	})
}

// TestLostWhileCallsHang: a new connection does not wait for calls that never end.
func TestLostWhileCallsHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		s := start(t, d, settings(t))
		release := make(chan struct{})
		d.set(func() { d.hang = release })
		go s.Sign(context.Background(), ref, []keystore.Digest{{1}})
		synctest.Wait()
		d.set(func() { d.hang, d.epoch = nil, d.epoch+1 })
		begun := time.Now()
		s.mustSign(t)
		if took := time.Since(begun); took != time.Second/2 {
			t.Errorf("a new connection took %v, want half of Timeout", took)
		}
		if d.closed != 0 {
			t.Error("a connection was closed under a call")
		}
		close(release)
		synctest.Wait()
		s.mustSign(t)
		if d.closed != 1 {
			t.Error("the old connection is kept")
		}
		s.Close()
	})
}

func TestAnHSMThatIsAwayIsNotHammered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &device{}
		s := start(t, d, settings(t))
		d.set(func() { d.epoch, d.away = d.epoch+1, errors.New("no token in the slot") })
		for range 1000 {
			unavailable(t, s.one(t))
			time.Sleep(time.Millisecond)
		}
		if d.opened > 12 {
			t.Errorf("%d attempts in a second", d.opened)
		}
		d.set(func() { d.away = nil })
		time.Sleep(pause)
		s.mustSign(t)
		s.Close()
	})
}

func TestARefusedPINIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, c := &device{}, settings(t)
		s := start(t, d, c)
		d.set(func() { d.epoch, d.pin = d.epoch+1, "another-pin" })
		for range 100 {
			err := s.one(t)
			unavailable(t, err)
			if strings.Contains(err.Error(), pin) {
				t.Fatal("an error shows the PIN")
			}
			time.Sleep(pause)
		}
		if d.pins != 2 {
			t.Errorf("the wrong PIN was tried %d times", d.pins-1)
		}
		if err := os.WriteFile(string(c.PIN), []byte("another-pin"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.mustSign(t)
		s.Close()
	})
}

func TestOpenReportsWhatItMet(t *testing.T) {
	t.Parallel()
	d, c := &device{pin: "another"}, settings(t)
	if _, err := openWith(t.Context(), c, d.open); !errors.Is(err, errPIN) {
		t.Errorf("a wrong PIN gives %v", err)
	}
	c.PIN = "/nonexistent"
	if _, err := openWith(t.Context(), c, d.open); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no PIN file gives %v", err)
	}
}

func TestSomeDigestsFail(t *testing.T) {
	t.Parallel()
	d := &device{}
	s := start(t, d, settings(t))
	t.Cleanup(s.Close)
	if results, err := s.Sign(t.Context(), ref, make([]keystore.Digest, 100)); err != nil || len(results) != 100 {
		t.Errorf("%d results, %v", len(results), err)
	}
	other := keystore.Ref{Label: "other", Version: 1}
	if results, err := s.Sign(t.Context(), other, make([]keystore.Digest, 100)); !errors.Is(err, keystore.ErrNoKey) || results != nil {
		t.Errorf("%d results, %v", len(results), err)
	}
}

// TestFlags: the settings as a binary embeds them, and their defaults.
func TestFlags(t *testing.T) {
	t.Parallel()
	var settings struct {
		HSM Config `embed:"" prefix:"hsm-"`
	}
	parser, err := kong.New(&settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse([]string{"--hsm-module=/lib/hsm.so", "--hsm-slot=0", "--hsm-pin=/run/pin"}); err != nil {
		t.Fatal(err)
	}
	if err := settings.HSM.Check(); err != nil || !settings.HSM.Enabled() || settings.HSM.MaxSessions != 16 || settings.HSM.Timeout != 5*time.Second {
		t.Errorf("%+v, %v", settings.HSM, err)
	}
	if (&Config{}).Enabled() {
		t.Error("enabled without a module")
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	good := Config{Module: "/lib/hsm.so", TokenLabel: "t", PIN: "/run/pin", MaxSessions: 16, Timeout: time.Second}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	slot, negative := 0, -1
	for name, tc := range map[string]struct {
		change func(*Config)
		flag   string
	}{
		"no module":       {func(c *Config) { c.Module = "" }, "module"},
		"relative module": {func(c *Config) { c.Module = "hsm.so" }, "module"},
		"no token":        {func(c *Config) { c.TokenLabel = "" }, "token-label"},
		"two tokens":      {func(c *Config) { c.Slot = &slot }, "token-label"},
		"negative slot":   {func(c *Config) { c.TokenLabel, c.Slot = "", &negative }, "slot"},
		"no PIN":          {func(c *Config) { c.PIN = "" }, "pin"},
		"few sessions":    {func(c *Config) { c.MaxSessions = 2 }, "max-sessions"},
		"many sessions":   {func(c *Config) { c.MaxSessions = 5000 }, "max-sessions"},
		"no time":         {func(c *Config) { c.Timeout = 0 }, "timeout"},
		"too much time":   {func(c *Config) { c.Timeout = time.Hour }, "timeout"},
	} {
		c := good
		tc.change(&c)
		err := config.Under("hsm-", c.Check())
		if err == nil || !strings.Contains(err.Error(), "--hsm-"+tc.flag+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
