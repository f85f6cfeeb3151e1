package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

// The two sites of the growth row take turns in chunks of growthChunk issues.
const (
	growthChunk  = 200
	growthRounds = 8
	growthSmall  = 1000 // certificates in the small site, halfway
)

// growth compares a site with many certificates with one that has 1,000. They issue in
// turns, so that what else the machine does hits both.
func (b *bench) growth() (measurement, error) {
	if b.plan.growth == 0 {
		return measurement{}, notMeasured{"not run in --short"}
	}
	large, err := b.largeSite()
	if err != nil {
		return measurement{}, err
	}
	small, err := b.site(devinstall.Installation(filepath.Join(b.dir, "small")))
	if err != nil {
		return measurement{}, err
	}
	if _, err := b.issueMany(small, growthSmall-growthChunk*growthRounds/2); err != nil {
		return measurement{}, err
	}
	var ratios []float64
	for range growthRounds {
		few, err := b.issueMany(small, growthChunk)
		if err != nil {
			return measurement{}, err
		}
		many, err := b.issueMany(large, growthChunk)
		if err != nil {
			return measurement{}, err
		}
		ratios = append(ratios, many.Seconds()/few.Seconds())
		b.progress.step()
	}
	return measurement{value: spreadOf(ratios), note: fmt.Sprintf("%s certificates stored, %s", figure(float64(large.issued.Load())), b.keysAt())}, nil
}

// largeSite stores certificates until there are enough or the time is up.
func (b *bench) largeSite() (*benchSite, error) {
	site, err := b.firstSite()
	if err != nil {
		return nil, err
	}
	for began := time.Now(); int(site.issued.Load()) < b.Stored && time.Since(began) < b.plan.growth; {
		if _, err := b.issueMany(site, min(1000, b.Stored-int(site.issued.Load()))); err != nil {
			return nil, err
		}
		b.progress.step()
	}
	if stored := site.issued.Load(); stored < minBenchStored {
		return nil, fmt.Errorf("only %d certificates could be stored in %s", stored, b.plan.growth)
	}
	return site, nil
}

// issueMany issues exactly n certificates and gives how long that took.
var errEnough = errors.New("all were issued")

func (b *bench) issueMany(site *benchSite, n int) (time.Duration, error) {
	var left atomic.Int64
	left.Store(int64(n))
	began := time.Now()
	load := saturate(b.ctx, min(b.Workers, n), func(ctx context.Context) error {
		if left.Add(-1) < 0 {
			return errEnough
		}
		return site.issue(ctx)
	})
	load.group.Wait()
	took := time.Since(began)
	if err := context.Cause(load.ctx); err != errEnough { //nolint:errorlint // the very value of above
		return 0, err
	}
	if int(load.done.Load()) != n {
		return 0, fmt.Errorf("%d of %d certificates were issued", load.done.Load(), n)
	}
	return took, nil
}
