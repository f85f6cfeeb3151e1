package httpapi

import (
	"sync"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// maxDownloads bounds the files that one issuer fetches at a time: each reads as many
// documents as its job has lines.
const maxDownloads = 4

var errDownloads = fault.New(fault.TooMany, "bulk-downloads", "This issuer fetches as many files as it may at a time; wait for one to end.").Retry(5 * time.Second)

// downloads counts those of each issuer.
type downloads struct {
	mu sync.Mutex
	of map[string]int
}

func (d *downloads) take(issuer string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of[issuer] >= maxDownloads {
		return false
	}
	d.of[issuer]++
	return true
}

func (d *downloads) leave(issuer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of[issuer]--; d.of[issuer] == 0 {
		delete(d.of, issuer)
	}
}
