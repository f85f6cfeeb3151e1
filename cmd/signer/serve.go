package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

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
	w.audit, err = s.Audit.Open(filepath.Join(s.DataDir, "audit"), "ddcc-gateway signer", w.warn("checkpoint of the audit log"))
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

func ledgerSecret(s settings) ([]byte, error) {
	secret, err := s.LedgerSecret.ReadMin(seal.KeySize)
	if err != nil {
		return nil, fmt.Errorf("ledger-secret: %w", err)
	}
	return secret, nil
}
