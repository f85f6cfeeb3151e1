package main

import (
	"strings"
	"testing"
	"time"
)

func TestParsePeakMemory(t *testing.T) {
	t.Parallel()
	const status = "Name:\tgateway\nVmPeak:\t 2000000 kB\nVmHWM:\t  153600 kB\nVmRSS:\t   102400 kB\n"
	if got, err := parsePeakMemory([]byte(status)); err != nil || got != 150 {
		t.Errorf("got %v, %v", got, err)
	}
	for _, broken := range []string{"", "VmRSS:\t1 kB\n", "VmHWM:\tmuch kB\n", "VmHWM\n"} {
		if got, err := parsePeakMemory([]byte(broken)); err == nil {
			t.Errorf("%q: got %v", broken, got)
		}
	}
}

func TestParseProcessorTime(t *testing.T) {
	t.Parallel()
	const stat = "4711 (a (b) c d) S 1 4711 4711 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 9 0 12345 1000 200\n"
	if got, err := parseProcessorTime([]byte(stat)); err != nil || got != 3*time.Second {
		t.Errorf("got %v, %v", got, err)
	}
	for _, broken := range []string{"", "1 (x) S 1 2", strings.Replace(stat, "250", "x", 1)} {
		if got, err := parseProcessorTime([]byte(broken)); err == nil {
			t.Errorf("%q: got %v", broken, got)
		}
	}
}

func TestCPUNote(t *testing.T) {
	t.Parallel()
	before := cpuTimes{time.Second, time.Second, time.Second, true}
	after := cpuTimes{3 * time.Second, 4 * time.Second, 1500 * time.Millisecond, true}
	const want = "; processor time of an issue: gateway 2 ms, signer 3 ms, this client 0.50 ms"
	if got := after.since(before).note(1000); got != want {
		t.Errorf("got %q", got)
	}
	after.known = false
	if got := after.since(before).note(1000); got != "" {
		t.Errorf("unknown times were noted: %q", got)
	}
}
