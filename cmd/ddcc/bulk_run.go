package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/trustedparty/ddcc-gateway/fhir/tabular"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// bulkFlags are those of ddcc issue --bulk.
type bulkFlags struct {
	Bulk        bool          `help:"FILE has many events: NDJSON with a resource a line, or CSV (*.csv) with the linkIds of a questionnaire as its header."`
	Concurrency int           `default:"16" help:"With --bulk: events sent at a time."`
	Documents   bool          `help:"With --bulk: keep the documents, too, in FILE.documents.ndjson."`
	Patience    time.Duration `default:"10m" help:"With --bulk: how long a gateway that issues nothing is waited for."`
	JSON        bool          `name:"json" help:"With --bulk: the summary as JSON, and no progress."`
}

// bulk sends a file of events.
func (c *issueCmd) bulk(s streams) error {
	if c.Card {
		return usage("--card with --bulk")
	}
	if c.Concurrency < 1 || c.Concurrency > 256 {
		return usage("--concurrency %d", c.Concurrency)
	}
	input, size, err := inputName(c.File)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil { //nolint:gosec // a folder of the user's choice
		return usage("%v", err)
	}
	i, err := c.open()
	if err != nil {
		return err
	}
	route := choose(c.Dry, "/ddcc/generateHealthCertificate/$validate", "/ddcc/generateHealthCertificate") + formatQuery(c.Format)
	out, err := openBulkFiles(filepath.Join(c.Out, filepath.Base(c.File)), input, route, c.Documents)
	if err != nil {
		return err
	}
	err = c.send(s, i, out, size)
	return errors.Join(err, out.close())
}

func (c *issueCmd) send(s streams, i *issuer, out *bulkFiles, size int64) error {
	f, err := os.Open(c.File)
	if err != nil {
		return usage("%v", err)
	}
	defer func() { _ = f.Close() }()
	shown := newBulkProgress(s.stderr, size, c.JSON, out)
	form := tabular.TypeNDJSON
	if strings.EqualFold(filepath.Ext(c.File), ".csv") {
		form = tabular.TypeCSV
	}
	lines, err := tabular.New(form, io.TeeReader(f, shown))
	if err != nil {
		return usage("the file: %s", reasonOf(err))
	}
	if out.state.Line > 0 && !c.JSON {
		fmt.Fprintf(s.stderr, "going on behind line %d\n", out.state.Line)
	}
	started, before := time.Now(), out.state.Issued+out.state.Failed
	b := bulkIssue{issuer: i, route: out.state.Route, dry: c.Dry, workers: c.Concurrency, patient: newPatience(c.Patience)}
	err = b.run(s.ctx, behind{lines, out.state.Line}, func(r bulkResult) error { shown.step(); return out.add(r) })
	shown.end()
	if err != nil {
		return errors.Join(err, out.record())
	}
	if err := out.end(); err != nil {
		return err
	}
	return c.summary(s, out.state, started, before)
}

// behind skips the lines that have a result.
type behind struct {
	tabular.Reader
	line int
}

// Next implements tabular.Reader.
func (b behind) Next() (tabular.Record, error) {
	for {
		record, err := b.Reader.Next()
		if err != nil || record.Line > b.line {
			return record, err
		}
	}
}

// summary says how it went; a line that was refused makes the exit code 1.
func (c *issueCmd) summary(s streams, state bulkState, started time.Time, before int) error {
	took := time.Since(started)
	rate := float64(state.Issued+state.Failed-before) / max(took.Seconds(), 0.001)
	if c.JSON {
		err := json.NewEncoder(s.stdout).Encode(map[string]any{
			"issued": state.Issued, "replayed": state.Replayed, "failed": state.Failed, "seconds": took.Seconds(), "perSecond": rate,
		})
		if err != nil {
			return err
		}
	} else {
		fmt.Fprintf(s.stdout, "%d issued (%d of them before), %d failed; %.0f lines a second\n", state.Issued, state.Replayed, state.Failed, rate)
	}
	if state.Failed > 0 {
		return errNegative
	}
	return nil
}

// reasonOf gives the findings of an error about a file in one line.
func reasonOf(err error) string {
	f := fault.From(err)
	if len(f.Issues) == 0 {
		return err.Error()
	}
	var parts []string
	for _, i := range f.Issues {
		parts = append(parts, i.Detail+" "+i.Fix)
	}
	return strings.Join(parts, " ")
}

// bulkProgress shows how much of the file was read: a bar on a terminal, else a line now and
// then.
type bulkProgress struct {
	w    io.Writer
	bar  *progressbar.ProgressBar
	out  *bulkFiles
	size int64
	read atomic.Int64 // by another goroutine than that which shows it
	next time.Time
}

func newBulkProgress(w io.Writer, size int64, silent bool, out *bulkFiles) *bulkProgress {
	p := &bulkProgress{w: w, out: out, size: size, next: time.Now().Add(bulkLine)}
	if silent {
		p.w = nil
		return p
	}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("issuing"),
			progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
	}
	return p
}

// bulkLine is the time between lines where there is no terminal.
const bulkLine = 10 * time.Second

// Write counts what is read of the file.
func (p *bulkProgress) Write(b []byte) (int, error) {
	p.read.Add(int64(len(b)))
	return len(b), nil
}

func (p *bulkProgress) step() {
	switch {
	case p.w == nil, time.Now().Before(p.next):
	case p.bar != nil:
		p.next = time.Now().Add(bulkLine / 50)
		_ = p.bar.Set64(min(p.read.Load(), p.size)) // a terminal that is gone is no reason to stop
	default:
		p.next = time.Now().Add(bulkLine)
		fmt.Fprintf(p.w, "line %d: %d issued, %d failed, %d%% of the file read\n", p.out.state.Line, p.out.state.Issued, p.out.state.Failed, 100*p.read.Load()/max(p.size, 1))
	}
}

func (p *bulkProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
