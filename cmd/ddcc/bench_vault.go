package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/coalesce"
	"github.com/trustedparty/ddcc-gateway/signing/keystore/vault"
)

// Callers of the vault-sign row. Those of the reference are as many as the recorded one had.
const (
	vaultCallers  = 256
	singleCallers = 32
)

// lowLoads are callers at a time that leave Vault idle time.
var lowLoads = []int{1, 8}

// vaultBench is one key in Vault, reached as the signer does and without coalescing. What
// is measured ends at the key store: no policy, ledger or audit.
type vaultBench struct {
	together, alone *signatures // the same store, with and without coalescing
	waits           *batchWaits
	close           func()
}

// vaultKeys opens the store as cmd/signer does and proves that it signs.
func (b *bench) vaultKeys() (*vaultBench, error) {
	if b.KeyStore != "vault" {
		return nil, notMeasured{"it needs a Vault server: `make bench` builds and starts one, --key-store=vault and its flags name another"}
	}
	if b.vault != nil {
		return b.vault, nil
	}
	settings, err := b.signerVault()
	if err != nil {
		return nil, err
	}
	ref, public, err := b.vaccinationKey()
	if err != nil {
		return nil, err
	}
	store, err := vault.New(vault.Options{Config: settings, Environment: config.Development})
	if err != nil {
		return nil, err
	}
	waits := &batchWaits{}
	batches, err := coalesce.New(store, coalesce.Options{Timeout: settings.Deadline, Observe: waits.observe})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = store.Run(ctx) // it ends with its context
	}()
	b.vault = &vaultBench{
		together: &signatures{key: keystore.Key{Ref: ref}.Held(batches), public: public},
		alone:    &signatures{key: keystore.Key{Ref: ref}.Held(store), public: public},
		waits:    waits,
		close: func() {
			_ = batches.Close(ctx) // nothing waits
			cancel()
			<-ended
			store.Close()
		},
	}
	return b.vault, nil
}

// vaccinationKey finds the key that certificates are signed with.
func (b *bench) vaccinationKey() (keystore.Ref, *ecdsa.PublicKey, error) {
	raw, err := os.ReadFile(b.install.Path("register.json"))
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	var request signing.OperationRequest
	if err := json.Unmarshal(raw, &request); err != nil {
		return keystore.Ref{}, nil, fmt.Errorf("the keys of the installation: %w", err)
	}
	at := slices.IndexFunc(request.Registrations, func(r signing.Registration) bool { return r.Usage == string(keystore.UsageVaccination) })
	if at < 0 {
		return keystore.Ref{}, nil, keystore.ErrNoKey
	}
	registered := request.Registrations[at]
	certificate, err := x509.ParseCertificate(registered.Certificate)
	if err != nil {
		return keystore.Ref{}, nil, err
	}
	public, ok := certificate.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return keystore.Ref{}, nil, errors.New("the certificate does not hold an ECDSA key")
	}
	return keystore.Ref{Label: registered.Label, Version: registered.Version}, public, nil
}

// vaultSign measures throughput, in turns with single requests to the same store.
func (b *bench) vaultSign() (measurement, error) {
	v, err := b.vaultKeys()
	if err != nil {
		return measurement{}, err
	}
	var together, alone, sizes []float64
	for round := range b.plan.signRounds + 1 {
		v.waits.take()
		fast, err := b.signingRate(v.together, vaultCallers)
		if err != nil {
			return measurement{}, err
		}
		size := v.waits.take().size()
		slow, err := b.signingRate(v.alone, singleCallers)
		if err != nil {
			return measurement{}, err
		}
		if round > 0 { // the first opens the connections
			together, alone, sizes = append(together, fast), append(alone, slow), append(sizes, size)
		}
		b.progress.step()
	}
	checked, err := verifySignatures(v.together, v.alone)
	if err != nil {
		return measurement{}, err
	}
	return measurement{
		value: spreadOf(together),
		note: fmt.Sprintf("Vault and the callers on this machine; %s signatures a batch on average; no errors, %d signatures verified",
			figure(spreadOf(sizes).Median), checked),
		live: []benchReference{{Name: "the same store without coalescing, 32 callers", Value: spreadOf(alone).Median}},
	}, nil
}

func (b *bench) signingRate(s *signatures, callers int) (float64, error) {
	load := saturate(b.ctx, callers, s.sign)
	defer load.stop()
	return load.rate(b.plan.signRound)
}

// vaultSignLatency measures what coalescing adds where nobody waits for Vault: in the wait
// of digests for company, and by the clock.
func (b *bench) vaultSignLatency() (measurement, error) {
	v, err := b.vaultKeys()
	if err != nil {
		return measurement{}, err
	}
	var worst []float64
	notes := make([]string, 0, len(lowLoads))
	for _, callers := range lowLoads {
		var added lowLoad
		for range b.plan.signRounds {
			if err := b.lowLoadRound(v, callers, &added); err != nil {
				return measurement{}, err
			}
			b.progress.step()
		}
		worst = added.worst(worst)
		notes = append(notes, added.note(callers))
	}
	checked, err := verifySignatures(v.together, v.alone)
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: spreadOf(worst), note: fmt.Sprintf("%s; no errors, %d signatures verified", strings.Join(notes, "; "), checked)}, nil
}

// lowLoad is what the rounds of one load showed, in milliseconds.
type lowLoad struct{ p50, p99, together, alone []float64 }

// lowLoadRound signs with and without coalescing.
func (b *bench) lowLoadRound(v *vaultBench, callers int, l *lowLoad) error {
	v.waits.take()
	together, err := b.signingLatency(v.together, callers)
	if err != nil {
		return err
	}
	waits := v.waits.take().waits
	alone, err := b.signingLatency(v.alone, callers)
	if err != nil {
		return err
	}
	l.p50, l.p99 = append(l.p50, milliseconds(percentile(waits, 50))), append(l.p99, milliseconds(percentile(waits, 99)))
	l.together, l.alone = append(l.together, milliseconds(percentile(together, 50))), append(l.alone, milliseconds(percentile(alone, 50)))
	return nil
}

// worst adds what a round added at most to the rounds of the loads before.
func (l lowLoad) worst(before []float64) []float64 {
	out := make([]float64, len(l.p99))
	for i := range out {
		out[i] = max(l.p99[i], l.together[i]-l.alone[i])
		if i < len(before) {
			out[i] = max(out[i], before[i])
		}
	}
	return out
}

func (l lowLoad) note(callers int) string {
	median := func(v []float64) string { return figure(spreadOf(v).Median) }
	return fmt.Sprintf("%d at a time: wait %s ms, 99th percentile %s ms, median latency %s ms against %s ms without coalescing",
		callers, median(l.p50), median(l.p99), median(l.together), median(l.alone))
}

// signingLatency gives how long each signature of a round took.
func (b *bench) signingLatency(s *signatures, callers int) ([]time.Duration, error) {
	var times durations
	load := saturate(b.ctx, callers, func(ctx context.Context) error {
		began := time.Now()
		if err := s.sign(ctx); err != nil {
			return err
		}
		times.add(time.Since(began))
		return nil
	})
	_, err := load.rate(b.plan.signRound)
	load.stop()
	return times.all, err
}
