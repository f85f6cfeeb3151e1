package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
)

// bulkShare measures ddcc issue --bulk against requests sent one by one, on the same site.
func (b *bench) bulkShare() (measurement, error) {
	single, err := b.loaded()
	if err != nil {
		return measurement{}, err
	}
	site, err := b.firstSite()
	if err != nil {
		return measurement{}, err
	}
	dir, err := os.MkdirTemp("", "ddcc-bench-bulk-")
	if err != nil {
		return measurement{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var shares []float64
	for n := range b.plan.loadRounds {
		rate, err := b.bulkRound(site, filepath.Join(dir, fmt.Sprintf("round-%d", n)))
		if err != nil {
			return measurement{}, err
		}
		shares = append(shares, rate/single.rates.Median)
		b.progress.step()
	}
	return measurement{value: spreadOf(shares), note: fmt.Sprintf(
		"the file is made while it is read, outputs and progress are synced as always; %d events at a time; %s", b.Workers, b.keysAt())}, nil
}

// bulkRound issues events for one round and gives lines a second.
func (b *bench) bulkRound(site *benchSite, base string) (float64, error) {
	const route = "/ddcc/generateHealthCertificate"
	out, err := openBulkFiles(base, "bench", route, false)
	if err != nil {
		return 0, err
	}
	work := bulkIssue{issuer: site.issuer, route: route, workers: b.Workers, patient: newPatience(time.Minute)}
	lines, started := &benchLines{site: site, end: time.Now().Add(b.plan.loadRound)}, time.Now()
	err = work.run(b.ctx, lines, func(r bulkResult) error {
		if r.Status != http.StatusCreated {
			return fmt.Errorf("line %d was answered %d", r.Line, r.Status)
		}
		return out.add(r)
	})
	if err == nil {
		err = out.record()
	}
	took := time.Since(started)
	return float64(out.state.Issued) / took.Seconds(), errors.Join(err, out.close(), context.Cause(b.ctx))
}

// benchLines is a file that ends with the round.
type benchLines struct {
	site *benchSite
	end  time.Time
	line int
}

// Next implements tabular.Reader.
func (l *benchLines) Next() (tabular.Record, error) {
	if time.Now().After(l.end) {
		return tabular.Record{}, io.EOF
	}
	l.line++
	response, _ := l.site.events.event(l.site.issued.Add(1))
	return tabular.Record{Line: l.line, Resource: response}, nil
}
