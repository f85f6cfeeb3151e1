package vault

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Kind says what a ceremony makes. The zero value is a P-256 key in Vault itself.
type Kind struct {
	// ManagedKeyName or ManagedKeyID names a key of an HSM that Vault manages
	// (sys/managed-keys, Vault Enterprise); each version needs another one.
	ManagedKeyName, ManagedKeyID string
}

func (k Kind) managed() bool { return k.ManagedKeyName != "" || k.ManagedKeyID != "" }

// Maker is a store that makes keys, for the ceremony. The signing service never has one.
type Maker struct {
	*Store
	kind Kind
	turn chan struct{} // one Create at a time
}

var _ keystore.Maker = (*Maker)(nil)

// NewMaker makes a store whose credentials may make keys.
func NewMaker(o Options, kind Kind) (*Maker, error) {
	if kind.ManagedKeyName != "" && kind.ManagedKeyID != "" {
		return nil, errors.New("vault key store: a managed key has a name or an id, give one of them")
	}
	store, err := New(o)
	if err != nil {
		return nil, err
	}
	return &Maker{Store: store, kind: kind, turn: make(chan struct{}, 1)}, nil
}

// Create makes the next version of a label. A request whose answer was lost is not sent
// again: the version it may have made stays without a certificate.
//
// Rotations by several processes at a time each get a version of their own. Creations do
// not: Vault does not tell who of two made the first version of a label, so that two
// ceremonies may both be given it. There is one key then, and the register takes it once.
func (m *Maker) Create(ctx context.Context, label string) (keystore.Ref, *ecdsa.PublicKey, error) {
	if err := (keystore.Ref{Label: label, Version: 1}).Validate(); err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("%w: %w", keystore.ErrNoKey, err)
	}
	ctx, cancel, err := m.conn.operation(ctx)
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	defer cancel()
	key, err := m.inTurn(ctx, label)
	if err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("create %q: %w", label, err)
	}
	ref := keystore.Ref{Label: label, Version: key.Latest}
	public, err := key.public(m.conn.config, ref)
	if err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("create %q: version %d was made, but: %w", label, ref.Version, err)
	}
	return ref, public, nil
}

func (m *Maker) inTurn(ctx context.Context, label string) (keyObject, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
		return m.next(ctx, label)
	case <-ctx.Done():
		return keyObject{}, unavailable("wait", ctx.Err())
	}
}

// next makes the first version, or another one where the key is there already. Who may not
// read the key makes nothing: a creation leaves a key that exists as it is and answers with
// it, so its version would pass for a new one.
func (m *Maker) next(ctx context.Context, label string) (keyObject, error) {
	key, err := m.read(ctx, label)
	if err == nil {
		return m.rotate(ctx, label, key)
	}
	if errors.Is(err, errDenied) {
		return keyObject{}, fmt.Errorf("%w: the policy denies to read it", keystore.ErrDisabled)
	}
	if !errors.Is(err, keystore.ErrNoKey) {
		return keyObject{}, err
	}
	made, err := m.make(ctx, m.path("keys", label), m.creation())
	if err == nil && made.Latest != 1 {
		err = fmt.Errorf("%w: the new key does not start with version 1", keystore.ErrExists)
	}
	return made, err
}

// rotate adds a version. The answer describes the key as the rotation left it, under
// Vault's lock of the key, so its latest version is the one that was made here.
func (m *Maker) rotate(ctx context.Context, label string, before keyObject) (keyObject, error) {
	if (before.Type == TypeManaged) != m.kind.managed() {
		return keyObject{}, fmt.Errorf("%w: the key is of another type than the one asked for", keystore.ErrExists)
	}
	made, err := m.make(ctx, m.path("keys", label)+"/rotate", m.managedFields(map[string]any{}))
	if err != nil {
		return keyObject{}, err
	}
	if made.Latest <= before.Latest {
		return keyObject{}, fmt.Errorf("%w: Vault made no new version", keystore.ErrUnavailable)
	}
	return made, nil
}

func (m *Maker) make(ctx context.Context, path string, fields map[string]any) (keyObject, error) {
	body, err := json.Marshal(fields, json.Deterministic(true))
	if err != nil {
		return keyObject{}, err
	}
	raw, err := m.authorised(ctx, request{client: m.conn.client, path: path, body: body, once: true})
	switch {
	case errors.Is(err, errDenied):
		return keyObject{}, fmt.Errorf("%w: the policy denies to make it", keystore.ErrDisabled)
	case isRefused(err, invalid, missing):
		return keyObject{}, fmt.Errorf("%w: %w", keystore.ErrDisabled, err)
	case err != nil:
		return keyObject{}, unavailable("make", err)
	}
	return readKey(raw)
}

// creation states everything that must hold, defaults included: the policy of the ceremony
// demands it.
func (m *Maker) creation() map[string]any {
	fields := map[string]any{
		"type": TypeECDSA, "exportable": false, "allow_plaintext_backup": false, "auto_rotate_period": "0",
	}
	if m.kind.managed() {
		fields["type"] = TypeManaged
	}
	return m.managedFields(fields)
}

func (m *Maker) managedFields(fields map[string]any) map[string]any {
	if m.kind.ManagedKeyName != "" {
		fields["managed_key_name"] = m.kind.ManagedKeyName
	}
	if m.kind.ManagedKeyID != "" {
		fields["managed_key_id"] = m.kind.ManagedKeyID
	}
	return fields
}
