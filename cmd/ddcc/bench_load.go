package main

import (
	"fmt"
	"time"
)

// loadResult is what a loaded site showed; three rows report of it.
type loadResult struct {
	rates    spread // certificates a second with all workers busy
	p50, p99 spread // milliseconds at half of that
	memory   float64
	verified int
	cpu      string
	err      error
}

// loaded puts the load on the first site, once.
func (b *bench) loaded() (*loadResult, error) {
	if b.load == nil {
		b.load = &loadResult{}
		b.load.err = b.putLoad(b.load)
	}
	return b.load, b.load.err
}

func (b *bench) putLoad(r *loadResult) error {
	site, err := b.firstSite()
	if err != nil {
		return err
	}
	if err := b.saturated(site, r); err != nil {
		return err
	}
	if err := b.halfLoaded(site, r); err != nil {
		return err
	}
	if r.memory, err = peakMemory(site.gateway.Command.Process.Pid); err != nil {
		return err
	}
	r.verified, err = site.verify(b.ctx)
	return err
}

// saturated measures throughput. The workers do not stop between the rounds.
func (b *bench) saturated(site *benchSite, r *loadResult) error {
	load := saturate(b.ctx, b.Workers, site.issue)
	defer load.stop()
	if err := pause(load.ctx, b.plan.warmUp); err != nil {
		return err
	}
	before, issued := site.cpu(), load.done.Load()
	var rounds []float64
	for range b.plan.loadRounds {
		rate, err := load.rate(b.plan.loadRound)
		if err != nil {
			return err
		}
		rounds = append(rounds, rate)
		b.progress.step()
	}
	r.rates = spreadOf(rounds)
	r.cpu = site.cpu().since(before).note(load.done.Load() - issued)
	return nil
}

// halfLoaded measures latency at half of the throughput.
func (b *bench) halfLoaded(site *benchSite, r *loadResult) error {
	var p50, p99 []float64
	for range b.plan.loadRounds {
		latencies, err := pace(b.ctx, r.rates.Median/2, b.plan.loadRound, site.issue)
		if err != nil {
			return err
		}
		p50, p99 = append(p50, milliseconds(percentile(latencies, 50))), append(p99, milliseconds(percentile(latencies, 99)))
		b.progress.step()
	}
	r.p50, r.p99 = spreadOf(p50), spreadOf(p99)
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (b *bench) wholeIssue() (measurement, error) {
	r, err := b.loaded()
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: r.rates, note: fmt.Sprintf(
		"%d requests at a time from this process, mutual TLS, signer and gateway in processes of their own on this machine, %s; no errors, %d certificates and documents verified%s",
		b.Workers, b.keysAt(), r.verified, r.cpu)}, nil
}

func (b *bench) issueLatency() (measurement, error) {
	r, err := b.loaded()
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: r.p99, note: fmt.Sprintf(
		"open loop at %s a second, counted from when a request was due; median latency %s ms; %s", figure(r.rates.Median/2), figure(r.p50.Median), b.keysAt())}, nil
}

func (b *bench) gatewayMemory() (measurement, error) {
	r, err := b.loaded()
	if err != nil {
		return measurement{}, err
	}
	if r.memory == 0 {
		return measurement{}, notMeasured{"n/a: only Linux tells"}
	}
	return measurement{value: spreadOf([]float64{r.memory}), note: b.keysAt()}, nil
}
