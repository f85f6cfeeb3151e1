package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/task"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/coalesce"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// keys is an open key store with what keeps it going.
type keys struct {
	keystore.Store
	tasks []task.Func
	close func()
}

// openKeys opens the configured store. Vault may be away: it is asked when it is needed.
func openKeys(ctx context.Context, s settings, log *slog.Logger, observe func(digests int, wait, took time.Duration)) (keys, error) {
	switch s.KeyStore {
	case storeVault:
		return openVault(s, log, observe)
	case storePKCS11:
		store, err := pkcs11.Open(ctx, s.HSM)
		if err != nil {
			return keys{}, fmt.Errorf("hsm: %w", err)
		}
		return keys{Store: store, close: store.Close}, nil
	default:
		passphrase, err := s.SoftwarePassphrase.Read()
		if err != nil {
			return keys{}, fmt.Errorf("software-passphrase: %w", err)
		}
		store, err := software.Open(s.SoftwareKeys, []byte(passphrase))
		return keys{Store: store, close: func() {}}, err
	}
}

// openVault puts the coalescing in front of Vault: a batch costs little more than a
// single signature there.
func openVault(s settings, log *slog.Logger, observe func(digests int, wait, took time.Duration)) (keys, error) {
	store, err := vault.New(vault.Options{Config: s.Vault, Environment: s.Environment, Log: log})
	if err != nil {
		return keys{}, err
	}
	batches, err := coalesce.New(store, coalesce.Options{Timeout: s.Vault.Deadline, Observe: observe})
	if err != nil {
		return keys{}, err
	}
	return keys{Store: batches, tasks: []task.Func{store.Run}, close: func() {
		ctx, cancel := context.WithTimeout(context.Background(), s.Vault.Deadline)
		defer cancel()
		_ = batches.Close(ctx) // what still waits is told so; nothing was released for it
		store.Close()
	}}, nil
}
