package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// budgetBits is what the published budget leaves for a revocation in the filter.
const budgetBits = 8.0 * revocation.BudgetFilters / revocation.BudgetRevocations

// revocationFilter row: the size of the filter for offline verifiers, and how long it takes
// to build on one core. A size has no rounds.
func (b *bench) revocationFilter() (measurement, error) {
	n := b.plan.revocations
	keys := make([]uint64, n)
	for i := range keys {
		keys[i] = revocation.FilterKey(benchHash(i))
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var builder revocation.FilterBuilder
	began := time.Now()
	raw, err := builder.Build([]revocation.HashType{revocation.HashSignature}, b.began.AddDate(1, 0, 0), keys)
	took := time.Since(began)
	if err != nil {
		return measurement{}, err
	}
	b.progress.step()
	wrong, asked, err := filterErrors(raw, n)
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: spreadOf([]float64{8 * float64(len(raw)) / float64(n)}), note: fmt.Sprintf(
		"%s hashes in %s MiB, built in %s s; %d of %s strangers taken for revoked, stated rate 1 in %s",
		figure(float64(n)), figure(float64(len(raw))/(1<<20)), figure(took.Seconds()), wrong, figure(float64(asked)), figure(1/revocation.FilterFPR))}, nil
}

// filterErrors asks a filter of the first n hashes for some of them and for strangers. One
// that does not know its own is an error.
func filterErrors(raw []byte, n int) (wrong, asked int, err error) {
	filter, err := revocation.ParseFilter(raw)
	if err != nil {
		return 0, 0, err
	}
	asked = min(n, 1_000_000)
	for i := range asked {
		if !filter.Contains(benchHash(i)) {
			return 0, 0, errors.New("the filter does not know a revoked certificate")
		}
		if filter.Contains(benchHash(n + i)) {
			wrong++
		}
	}
	return wrong, asked, nil
}

// benchHash is the i-th of hashes that are all different.
func benchHash(i int) revocation.Hash {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return revocation.Hash(sum[:revocation.HashSize])
}
