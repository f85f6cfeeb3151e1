package service

import (
	"fmt"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing"
)

func TestRecentIsBoundedAndForgets(t *testing.T) {
	t.Parallel()
	r := newRecent()
	id := func(n int) string { return fmt.Sprintf("id-%d", n) }
	for n := range recentSize + 10 {
		r.add(released{Certificate: signing.Certificate{ID: id(n)}})
	}
	if len(r.byID) != recentSize {
		t.Errorf("%d kept, want %d", len(r.byID), recentSize)
	}
	for n, want := range map[int]bool{0: false, 9: false, 10: true, recentSize + 9: true} {
		if out, ok := r.get(id(n)); ok != want || (ok && out.ID != id(n)) {
			t.Errorf("id %d: %v", n, ok)
		}
	}
	r.forget(id(20))
	if _, ok := r.get(id(20)); ok {
		t.Error("a forgotten certificate is still there")
	}
	for n := range 3 * recentSize {
		r.add(released{Certificate: signing.Certificate{ID: id(n)}})
	}
	if len(r.byID) > recentSize {
		t.Errorf("%d kept after forgetting", len(r.byID))
	}
}
