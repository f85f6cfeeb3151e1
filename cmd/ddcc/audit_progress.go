package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// auditProgress shows on a terminal how much of a log has been read, elsewhere nothing.
type auditProgress struct{ bar *progressbar.ProgressBar }

func newAuditProgress(w io.Writer, doing string, size int64) auditProgress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return auditProgress{}
	}
	return auditProgress{progressbar.NewOptions64(size, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(doing),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish())}
}

// step says that n more bytes were read.
func (p auditProgress) step(n int) {
	if p.bar != nil {
		_ = p.bar.Add(n) // a terminal that is gone is no reason to stop
	}
}

func (p auditProgress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
