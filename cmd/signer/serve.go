package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/audit"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore/sqlite"
	"github.com/trustedparty/ddcc-gateway/internal/platform/hardening"
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
)

// serve opens what the signer owns, runs it, and closes everything again.
func serve(ctx context.Context, s settings, stdin io.Reader, stderr io.Writer) (err error) {
	if err := errors.Join(hardening.Process(), os.MkdirAll(s.DataDir, 0o700)); err != nil {
		return err
	}
	records, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "ledger.db"), sqlite.Options{Clock: time.Now, CacheMiB: 8})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, records.Close()) }()
	w := &signer{settings: s, records: records}
	if w.process, err = process.New(s.Flags, stdin, stderr, map[string]httpx.Check{
		"keys":   func(ctx context.Context) error { return w.service.Ready(ctx) },
		"ledger": records.Ping,
		"audit":  func(ctx context.Context) error { return w.audit.Ready(ctx) },
	}); err != nil {
		return err
	}
	w.audit, err = newAuditLog(func() (*audit.Log, error) { return openAudit(s, w.warn("checkpoint of the audit log")) }, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.audit.Close()) }()
	if err := w.wire(ctx); err != nil {
		return err
	}
	defer w.keys.close()
	defer func() { w.refusals.Flush(context.WithoutCancel(ctx)) }() // what came while the listener drained
	server, err := w.listen()
	if err != nil {
		return err
	}
	return w.process.Run(ctx, append(w.tasks(), server.Serve)...)
}

// maxUncovered is how many entries may follow the last signed checkpoint while its key is
// away, a few seconds under full load.
const maxUncovered = 10_000

func openAudit(s settings, unsigned func(error)) (*audit.Log, error) {
	key, err := readKey(s.AuditKey)
	if err != nil {
		return nil, err
	}
	former, err := readFormer(s.AuditKeyFormer)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.DataDir, "audit")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return audit.Open(dir, audit.Options{
		Origin: "ddcc-gateway signer", Clock: time.Now, Signer: key, Former: former, MaxUncovered: maxUncovered, Unsigned: unsigned,
	})
}

// readFormer reads the public keys of earlier checkpoints.
func readFormer(files []string) ([]crypto.PublicKey, error) {
	var keys []crypto.PublicKey
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("audit-key-former: %w", err)
		}
		block, _ := pem.Decode(raw)
		if block == nil {
			return nil, fmt.Errorf("audit-key-former: %s holds no PEM block", name)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("audit-key-former: %s holds no public key", name)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// readKey reads the key of the audit checkpoints.
func readKey(file config.SecretFile) (crypto.Signer, error) {
	text, err := file.Read()
	if err != nil {
		return nil, fmt.Errorf("audit-key: %w", err)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("audit-key: the file holds no PEM block")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("audit-key: the file holds no PKCS #8 key")
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, errors.New("audit-key: the key cannot sign")
	}
	return key, nil
}

func ledgerSecret(s settings) ([]byte, error) {
	secret, err := s.LedgerSecret.ReadMin(seal.KeySize)
	if err != nil {
		return nil, fmt.Errorf("ledger-secret: %w", err)
	}
	return secret, nil
}

// purgeBatch bounds one purge.
const purgeBatch = 10_000

func purge(log *slog.Logger, store docstore.Store) func(context.Context) {
	return func(ctx context.Context) {
		if n, err := store.Purge(ctx, purgeBatch); err != nil {
			log.Warn("purge of the ledger failed", slog.Any("error", err))
		} else if n > 0 {
			log.Info("ledger purged", slog.Int("intents", n))
		}
	}
}
