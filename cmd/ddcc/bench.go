package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

type benchCmd struct {
	Short   bool     `help:"About two minutes: shorter rounds, fewer revocations, no growth."`
	JSON    bool     `name:"json" help:"Print the result as JSON and no progress."`
	Rows    []string `help:"Rows to measure; all when absent." placeholder:"NAME"`
	Bin     string   `help:"Directory of the signer and gateway binaries; that of this one when absent." placeholder:"DIR"`
	Workers int      `default:"64" help:"Requests at a time in the whole-issue row."`
	Stored  int      `default:"20000" help:"Certificates to store in the growth row, as far as its time allows."`

	storeFlags `embed:""`
	SignerFlag []string `sep:"none" help:"With a key store of its own: a flag by which the signer reaches it, as one word, e.g. --signer-flag=--key-store=vault. Repeat it." placeholder:"FLAG"`
}

// Run measures the rows in the order of the design and prints them. A missed goal is a
// result; only a row that could not be measured makes the answer negative.
func (c *benchCmd) Run(s streams) (err error) {
	rows, err := c.selected()
	if err != nil {
		return err
	}
	b, err := newBench(s, *c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	report := benchReport{Machine: thisMachine(), Short: c.Short}
	for _, row := range rows {
		began := time.Now()
		b.progress.begin(row.name)
		m, err := row.measure(b)
		b.progress.end(time.Since(began))
		if s.ctx.Err() != nil {
			return context.Cause(s.ctx)
		}
		report.Rows = append(report.Rows, row.conclude(m, err))
	}
	if err := report.print(s.stdout, c.JSON); err != nil {
		return err
	}
	if report.failed() {
		return errNegative
	}
	return nil
}

// selected gives the rows asked for, in their usual order.
func (c *benchCmd) selected() ([]benchRow, error) {
	if c.Workers < 1 || c.Workers > maxBenchWorkers {
		return nil, usage("--workers must be 1 to %d", maxBenchWorkers)
	}
	if c.Stored < minBenchStored {
		return nil, usage("--stored must be %d or more", minBenchStored)
	}
	if c.softwareKeys() != (len(c.SignerFlag) == 0) {
		return nil, usage("--key-store and --signer-flag belong together: keys are made by the one and used by the other")
	}
	all := benchRows()
	if len(c.Rows) == 0 {
		return all, nil
	}
	var names []string
	for _, row := range all {
		names = append(names, row.name)
	}
	for _, name := range c.Rows {
		if !slices.Contains(names, name) {
			return nil, usage("--rows knows %s", strings.Join(names, ", "))
		}
	}
	return slices.DeleteFunc(all, func(r benchRow) bool { return !slices.Contains(c.Rows, r.name) }), nil
}

// bench is one run. What several rows need is made when the first of them asks.
type bench struct {
	streams
	benchCmd
	plan     benchPlan
	progress *benchProgress
	dir      string // temporary, removed at the end
	began    time.Time
	events   benchEvents
	install  devinstall.Installation // of the first site

	codec   *codecBench
	formats map[string]*formatBench // by name
	vault   *vaultBench
	sites   []*benchSite // all of them, to be stopped
	first   *benchSite   // the one that whole-issue loads and growth goes on with
	load    *loadResult
}

func newBench(s streams, c benchCmd) (*bench, error) {
	if c.Bin == "" {
		gateway, err := sibling("gateway")
		if err != nil {
			return nil, err
		}
		c.Bin = filepath.Dir(gateway)
	}
	for _, name := range []string{"signer", "gateway"} {
		if _, err := os.Stat(filepath.Join(c.Bin, name)); err != nil {
			return nil, usage("--bin: there is no %s in %s (run `make build`)", name, c.Bin)
		}
	}
	b := &bench{streams: s, benchCmd: c, plan: planOf(c.Short), began: time.Now(), progress: newBenchProgress(s.stderr, c.JSON)}
	var err error
	if b.events, err = newBenchEvents(b.began); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "ddcc-bench-"); err != nil {
		return nil, err
	}
	b.install = devinstall.Installation(filepath.Join(b.dir, "first"))
	if err := b.create(b.install); err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	return b, nil
}

// close stops the processes and removes what they wrote.
func (b *bench) close() error {
	if b.vault != nil {
		b.vault.close()
	}
	for _, site := range b.sites {
		site.stop()
	}
	if err := os.RemoveAll(b.dir); err != nil {
		return fmt.Errorf("the temporary directory: %w", err)
	}
	return nil
}
