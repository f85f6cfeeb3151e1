package vault

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// maxBatch bounds the digests of one request; more go in several.
const maxBatch = 256

// maxLogins bounds how often one request is sent again with a new token: a token that dies
// between each login and the request is somebody's doing, and they can have it.
const maxLogins = 3

// Options make a store.
type Options struct {
	Config      Config
	Environment config.Environment
	Log         *slog.Logger     // of logins that fail; nil: none
	Now         func() time.Time // nil: time.Now
}

// Store signs with keys in Vault. It is safe for concurrent use. It logs in when it is
// first used; Run keeps it logged in.
type Store struct {
	conn    *conn
	session *session
}

var _ keystore.Store = (*Store)(nil)

// New checks the settings and reads the CA file and the client certificate. It asks
// nothing of Vault, which may come up later.
func New(o Options) (*Store, error) {
	if err := o.Config.Check(o.Environment); err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	conn, err := newConn(o.Config, o.Now, func(err error) {
		if err != nil {
			o.Log.Warn("TLS files of Vault", slog.Any("error", err))
		}
	})
	if err != nil {
		return nil, fmt.Errorf("vault key store: %w", err)
	}
	a := &authenticator{conn: conn, now: o.Now}
	return &Store{conn: conn, session: &session{
		login: a.login, renew: a.renew, alive: a.alive, use: conn.client.SetToken,
		now: o.Now, log: o.Log, within: o.Config.Deadline,
	}}, nil
}

// Run keeps the store logged in until the context ends: it renews the token at two thirds
// of its life and gets another before it cannot be renewed any more. Without it requests
// log in as they need to, and wait for it.
func (s *Store) Run(ctx context.Context) error { return s.session.run(ctx) }

// Login makes sure that there is a valid token; a readiness check or a start-up may ask.
func (s *Store) Login(ctx context.Context) error {
	ctx, cancel, err := s.conn.operation(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if _, err := s.session.ensure(ctx); err != nil {
		return fmt.Errorf("%w: %w", keystore.ErrUnavailable, &loginError{err.Error()})
	}
	return nil
}

// Close drops idle connections. The token is left to end by itself.
func (s *Store) Close() { s.conn.http.CloseIdleConnections() }

// Format implements fmt.Formatter, so that no verb prints what the store holds.
func (s *Store) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.text()) }

// LogValue implements slog.LogValuer.
func (s *Store) LogValue() slog.Value { return slog.StringValue(s.text()) }

// MarshalJSON implements json.Marshaler.
func (s *Store) MarshalJSON() ([]byte, error) { return []byte(`"Vault key store"`), nil }

func (s *Store) text() string { return "Vault key store" }

// Public gives the public key of a version, as Vault shows it. It refuses with ErrDisabled
// a key that is not an ECDSA key on P-256 or that could leave Vault or be deleted, and a
// version that was archived.
func (s *Store) Public(ctx context.Context, ref keystore.Ref) (*ecdsa.PublicKey, error) {
	if err := ref.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	ctx, cancel, err := s.conn.operation(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	key, err := s.read(ctx, ref.Label)
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", ref, err)
	}
	public, err := key.public(s.conn.config, ref)
	if err != nil {
		return nil, fmt.Errorf("public key of %s: %w", ref, err)
	}
	return public, nil
}

// read gets the key object of a label. A key that the policy hides is none.
func (s *Store) read(ctx context.Context, label string) (keyObject, error) {
	raw, err := s.authorised(ctx, request{client: s.conn.client, path: s.path("keys", label)})
	switch {
	case errors.Is(err, errDenied):
		return keyObject{}, fmt.Errorf("%w that these credentials may read: %w", keystore.ErrNoKey, err)
	case isRefused(err, missing):
		return keyObject{}, keystore.ErrNoKey
	case err != nil:
		return keyObject{}, unavailable("read", err)
	}
	return readKey(raw)
}

// path is "transit/keys/<name>" and the like; labels are checked before they get here.
func (s *Store) path(operation, label string) string {
	return s.conn.config.Mount + "/" + operation + "/" + s.conn.config.KeyPrefix + label
}

// authorised sends a request with the token, and again with a new one when Vault does not
// know the token any more. errDenied is in the error when the policy denies the request.
func (s *Store) authorised(ctx context.Context, r request) ([]byte, error) {
	generation, err := s.session.ensure(ctx)
	if err != nil {
		return nil, &loginError{err.Error()}
	}
	for range maxLogins {
		var raw []byte
		if raw, err = s.conn.send(ctx, r); !isRefused(err, denied) {
			return raw, err
		}
		generation, err = s.session.refused(ctx, generation)
		if errors.Is(err, errDenied) {
			return nil, err
		}
		if err != nil {
			return nil, &loginError{err.Error()}
		}
	}
	return nil, &loginError{"the token is revoked as soon as it is made"}
}
