package main

import (
	"context"
	"crypto"
	"crypto/tls"
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
	"github.com/trustedparty/ddcc-gateway/internal/platform/httpx"
	"github.com/trustedparty/ddcc-gateway/internal/platform/process"
	"github.com/trustedparty/ddcc-gateway/internal/platform/seal"
	"github.com/trustedparty/ddcc-gateway/internal/platform/tlsconf"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/software"
	"github.com/trustedparty/ddcc-gateway/signing/service"
	"github.com/trustedparty/ddcc-gateway/signing/service/httpapi"
)

// serve opens what the service owns, runs it, and closes everything again.
func serve(ctx context.Context, s settings, stdin io.Reader, stderr io.Writer) (err error) {
	if err := os.MkdirAll(s.DataDir, 0o700); err != nil {
		return err
	}
	ledger, err := sqlite.Open(ctx, filepath.Join(s.DataDir, "ledger.db"), sqlite.Options{Clock: time.Now, CacheMiB: 8})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	log, err := newAuditLog(func() (*audit.Log, error) { return openAudit(s) }, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	signer, err := newService(ctx, s, ledger, log)
	if err != nil {
		return err
	}
	p, err := process.New(s.Flags, stdin, stderr, map[string]httpx.Check{
		"keys": signer.Ready, "ledger": ledger.Ping, "audit": log.Ready,
	})
	if err != nil {
		return err
	}
	server, err := listen(s, p, signer)
	if err != nil {
		return err
	}
	return p.Run(ctx, server.Serve, process.Every(time.Hour, purge(p.Log, ledger)))
}

func openAudit(s settings) (*audit.Log, error) {
	key, err := readKey(s.AuditKey)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(s.DataDir, "audit")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return audit.Open(dir, audit.Options{Origin: "ddcc-gateway signer", Clock: time.Now, Signer: key})
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

func newService(ctx context.Context, s settings, ledger docstore.Store, log service.AuditLog) (*service.Service, error) {
	keys, err := openKeys(s)
	if err != nil {
		return nil, err
	}
	secret, err := ledgerSecret(s)
	if err != nil {
		return nil, err
	}
	return service.New(ctx, service.Deps{
		Country: s.Country, Profiles: s.profiles(), Keys: keys, Audit: log, Ledger: ledger,
		Secret: secret, Clock: time.Now, Retention: s.Retention,
	})
}

func openKeys(s settings) (*software.Store, error) {
	passphrase, err := s.SoftwarePassphrase.Read()
	if err != nil {
		return nil, fmt.Errorf("software-passphrase: %w", err)
	}
	return software.Open(s.SoftwareKeys, []byte(passphrase))
}

func ledgerSecret(s settings) ([]byte, error) {
	secret, err := s.LedgerSecret.ReadMin(seal.KeySize)
	if err != nil {
		return nil, fmt.Errorf("ledger-secret: %w", err)
	}
	return secret, nil
}

func serverTLS(s settings, report func(error)) (*tls.Config, error) {
	return tlsconf.NewServer(tlsconf.ServerOptions{
		Files: s.TLS, Prefix: "tls-", Verify: tlsconf.VerifyPeerName(s.Callers), Report: report,
	})
}

func listen(s settings, p *process.Process, signer *service.Service) (*httpx.Server, error) {
	config, err := serverTLS(s, func(err error) { p.Log.Warn("TLS files", slog.Any("error", err)) })
	if err != nil {
		return nil, err
	}
	engine, err := httpx.NewEngine(httpx.EngineOptions{Log: p.Log, Metrics: p.Metrics, Quiet: []string{"/readyz"}})
	if err != nil {
		return nil, err
	}
	httpapi.Register(engine, signer)
	engine.GET("/readyz", p.Readiness.Handler)
	server, err := httpx.NewServer(httpx.ServerOptions{
		Addr: s.Listen, Handler: engine, TLS: config, Log: p.Log, MaxStreams: 1000, OnDrain: p.Readiness.Drain,
	})
	if err != nil {
		return nil, err
	}
	addr, err := server.Listen()
	if err != nil {
		return nil, err
	}
	p.Log.Info("signing API listening", slog.String("address", addr.String()))
	return server, nil
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
