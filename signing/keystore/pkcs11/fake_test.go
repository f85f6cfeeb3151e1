package pkcs11

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

var ref = keystore.Ref{Label: "dsc", Version: 1}

// device is an HSM that a test breaks. Every connection to it is a *fake.
type device struct {
	mu       sync.Mutex
	pin      string
	away     error         // what opening gives
	hang     chan struct{} // while not nil, signing waits for it
	epoch    int           // a connection of an earlier one is lost
	moved    int           // a key found before it is stale
	forever  bool          // every connection is lost at once
	opened   int
	pins     int // tried
	closed   int
	created  int
	looked   int
	underway int
	most     int
}

func (d *device) open(_ Config, pin string) (token, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened++
	if d.away != nil {
		return nil, d.away
	}
	if d.pins++; pin != d.pin {
		return nil, fmt.Errorf("%w: CKR_PIN_INCORRECT", errPIN)
	}
	return &fake{d, d.epoch}, nil
}

// set changes the device.
func (d *device) set(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

type fake struct {
	*device
	epoch int
}

// lost needs mu.
func (f *fake) lost() bool { return f.forever || f.epoch != f.device.epoch }

func (f *fake) find(of keystore.Ref) (key, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked++
	switch {
	case f.lost():
		return nil, fmt.Errorf("%w: CKR_SESSION_HANDLE_INVALID", errLost)
	case of != ref:
		return nil, keystore.ErrNoKey
	}
	return &handle{f, f.moved}, nil
}

func (f *fake) create(string) (keystore.Ref, *ecdsa.PublicKey, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.created++; f.lost() {
		return keystore.Ref{}, nil, fmt.Errorf("%w: CKR_DEVICE_REMOVED", errLost)
	}
	return ref, &ecdsa.PublicKey{}, nil
}

func (f *fake) close() { f.set(func() { f.closed++ }) }

type handle struct {
	*fake
	moved int
}

func (h *handle) public() *ecdsa.PublicKey { return &ecdsa.PublicKey{} }

func (h *handle) sign(digest keystore.Digest) (keystore.Signature, error) {
	h.mu.Lock()
	hang := h.hang
	h.underway++
	h.most = max(h.most, h.underway)
	h.mu.Unlock()
	if hang != nil {
		<-hang
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.underway--
	switch {
	case h.lost():
		return keystore.Signature{}, fmt.Errorf("%w: CKR_SESSION_HANDLE_INVALID", errLost)
	case h.moved != h.device.moved:
		return keystore.Signature{}, fmt.Errorf("%w: CKR_KEY_HANDLE_INVALID", errStale)
	}
	return keystore.Signature(append(digest[:], digest[:]...)), nil
}

const pin = "a-pin-of-the-test"

func pinFile(t *testing.T, content string) config.SecretFile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.SecretFile(path)
}

func settings(t *testing.T) Config {
	t.Helper()
	return Config{Module: "/lib/hsm.so", TokenLabel: "token", PIN: pinFile(t, pin), MaxSessions: 6, Timeout: time.Second}
}

func start(t *testing.T, d *device, c Config) *Store {
	t.Helper()
	d.pin = pin
	s, err := openWith(context.Background(), c, d.open)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Store) one(t *testing.T) error {
	t.Helper()
	digest := keystore.Digest{7}
	results, err := s.Sign(context.Background(), ref, []keystore.Digest{digest})
	if err == nil && (len(results) != 1 || results[0].Err != nil || keystore.Digest(results[0].Signature[:32]) != digest) {
		return errors.New("not the signature")
	}
	return err
}

func (s *Store) mustSign(t *testing.T) {
	t.Helper()
	if err := s.one(t); err != nil {
		t.Error(err)
	}
}

func unavailable(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, keystore.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}
