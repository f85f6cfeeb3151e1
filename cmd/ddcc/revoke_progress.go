package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// revokeProgress counts revocations: a bar on a terminal, else a line for each page. How
// many there are in all is not known. A nil one shows nothing.
type revokeProgress struct {
	w   io.Writer
	bar *progressbar.ProgressBar
}

func newRevokeProgress(w io.Writer, silent bool) *revokeProgress {
	if silent {
		return nil
	}
	p := &revokeProgress{w: w}
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		p.bar = progressbar.NewOptions(-1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("revoking"),
			progressbar.OptionSetItsString("certificates"), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
	}
	return p
}

// step says that n more were revoked, which makes sum.
func (p *revokeProgress) step(n, sum int) {
	switch {
	case p == nil:
	case p.bar != nil:
		_ = p.bar.Add(n) // a terminal that is gone is no reason to stop
	default:
		fmt.Fprintf(p.w, "revoked so far: %d\n", sum)
	}
}

func (p *revokeProgress) end() {
	if p != nil && p.bar != nil {
		_ = p.bar.Finish()
	}
}
