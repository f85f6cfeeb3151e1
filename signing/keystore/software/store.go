package software

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Store is an opened key file: a keystore.Maker.
type Store struct {
	dir  string
	salt []byte
	box  *seal.Box

	reading sync.Mutex // one reader of a changed file at a time
	current atomic.Pointer[snapshot]
}

var _ keystore.Maker = (*Store)(nil)

// snapshot is the content of one state of the key file. It never changes.
type snapshot struct {
	info os.FileInfo // of the file it was read from
	keys map[keystore.Ref]held
}

// held is one opened key.
type held struct {
	private  *ecdsa.PrivateKey
	disabled bool
	sealed   string // what private was opened from
}

// Create makes an empty key file in dir and opens it. It refuses to overwrite: the error
// is then os.ErrExist.
func Create(dir string, passphrase []byte) (*Store, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails (Go 1.24 and later)
	box, err := openBox(passphrase, salt)
	if err != nil {
		return nil, failed(err)
	}
	f := file{Format: format, Salt: salt, Check: box.Seal(checkPurpose, nil), Keys: []record{}}
	if err := writeNew(dir, f); err != nil {
		return nil, failed(err)
	}
	s := &Store{dir: dir, salt: salt, box: box}
	if _, err := s.reload(); err != nil {
		return nil, failed(err)
	}
	return s, nil
}

// Open reads the key file in dir and opens every key in it.
func Open(dir string, passphrase []byte) (*Store, error) {
	f, _, err := read(filepath.Join(dir, FileName))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("software key store: %w (make one with `ddcc keys dev`)", err)
	}
	if err != nil {
		return nil, failed(err)
	}
	box, err := openBox(passphrase, f.Salt)
	if err != nil {
		return nil, failed(err)
	}
	if _, err := box.Open(checkPurpose, f.Check); err != nil {
		return nil, failed(errors.New("wrong passphrase or damaged file"))
	}
	s := &Store{dir: dir, salt: f.Salt, box: box}
	if _, err := s.reload(); err != nil {
		return nil, failed(err)
	}
	return s, nil
}

func openBox(passphrase, salt []byte) (*seal.Box, error) {
	key, err := seal.FromPassphrase(passphrase, salt)
	if err != nil {
		return nil, err
	}
	return seal.New(key)
}

// failed names the package in an error of opening.
func failed(err error) error {
	return fmt.Errorf("software key store: %w", err)
}

func (s *Store) path() string { return filepath.Join(s.dir, FileName) }

// latest gives the content of the file as it is now. It reads only when the file is
// another one than it read before.
func (s *Store) latest() (*snapshot, error) {
	info, err := os.Stat(s.path())
	if err != nil {
		return nil, err
	}
	if now := s.current.Load(); now.of(info) {
		return now, nil
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	if now := s.current.Load(); now.of(info) {
		return now, nil
	}
	return s.reload()
}

// of reports whether the snapshot was read from the state of the file that info shows.
func (n *snapshot) of(info os.FileInfo) bool {
	return os.SameFile(n.info, info) && n.info.ModTime().Equal(info.ModTime()) && n.info.Size() == info.Size()
}

// reload reads the file and makes it current. Keys that it knows are not opened again.
func (s *Store) reload() (*snapshot, error) {
	f, info, err := read(s.path())
	if err != nil {
		return nil, err
	}
	if string(f.Salt) != string(s.salt) {
		return nil, errors.New("the key file was replaced by another; restart")
	}
	var known map[keystore.Ref]held
	if before := s.current.Load(); before != nil {
		known = before.keys
	}
	next := &snapshot{info: info, keys: make(map[keystore.Ref]held, len(f.Keys))}
	for _, k := range f.Keys {
		h, ok := known[k.Ref]
		if !ok || h.sealed != string(k.Sealed) {
			if h.private, err = openKey(s.box, k); err != nil {
				return nil, err
			}
			h.sealed = string(k.Sealed)
		}
		h.disabled = k.Disabled
		next.keys[k.Ref] = h
	}
	s.current.Store(next)
	return next, nil
}

// find gives one key as the file has it now.
func (s *Store) find(ctx context.Context, ref keystore.Ref) (held, error) {
	if err := ref.Validate(); err != nil {
		return held{}, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	if err := ctx.Err(); err != nil {
		return held{}, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	now, err := s.latest()
	if err != nil {
		return held{}, fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)
	}
	h, ok := now.keys[ref]
	if !ok {
		return held{}, fmt.Errorf("%w: %s", keystore.ErrNoKey, ref)
	}
	return h, nil
}

// Public implements keystore.Store. It answers for disabled versions too.
func (s *Store) Public(ctx context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	h, err := s.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	public := h.private.PublicKey
	return &public, nil
}

// Sign implements keystore.Store. Digests that are left when ctx ends are not signed.
func (s *Store) Sign(ctx context.Context, ref keystore.Ref, digests []keystore.Digest) ([]keystore.Result, error) {
	h, err := s.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if h.disabled {
		return nil, fmt.Errorf("%w: %s", keystore.ErrDisabled, ref)
	}
	results := make([]keystore.Result, len(digests))
	for i, digest := range digests {
		results[i] = sign(ctx, h.private, digest)
	}
	return results, nil
}

func sign(ctx context.Context, private *ecdsa.PrivateKey, digest keystore.Digest) keystore.Result {
	if err := ctx.Err(); err != nil {
		return keystore.Result{Err: fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)}
	}
	der, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
	if err != nil {
		return keystore.Result{Err: fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)}
	}
	signature, err := keystore.SignatureFromASN1(der)
	if err != nil {
		return keystore.Result{Err: fmt.Errorf("%w: %w", keystore.ErrUnavailable, err)}
	}
	return keystore.Result{Signature: signature}
}
