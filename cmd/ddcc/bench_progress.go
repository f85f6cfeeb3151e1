package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// benchProgress shows how far a run is: a spinning bar on a terminal, else a line when a
// row is finished. A nil one shows nothing.
type benchProgress struct {
	w    io.Writer
	live bool
	name string
	bar  *progressbar.ProgressBar
}

func newBenchProgress(w io.Writer, silent bool) *benchProgress {
	if silent {
		return nil
	}
	file, ok := w.(*os.File)
	return &benchProgress{w: w, live: ok && term.IsTerminal(int(file.Fd()))}
}

func (p *benchProgress) begin(row string) {
	if p == nil {
		return
	}
	p.name = row
	if p.live {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(row),
			progressbar.OptionSetItsString("rounds"), progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(14))
	}
}

// step says that a round is finished.
func (p *benchProgress) step() {
	if p != nil && p.live {
		_ = p.bar.Add(1) // a terminal that is gone is no reason to stop
	}
}

func (p *benchProgress) end(took time.Duration) {
	switch {
	case p == nil:
	case p.live:
		_ = p.bar.Finish()
	default:
		fmt.Fprintf(p.w, "%s: measured in %s\n", p.name, took.Round(100*time.Millisecond))
	}
}
