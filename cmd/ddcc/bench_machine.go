package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is where a run took place. What only Linux tells is absent elsewhere.
type machine struct {
	Platform  string `json:"platform"` // linux/amd64
	Go        string `json:"go"`
	Cores     int    `json:"cores"`
	Processor string `json:"processor,omitempty"`
	Load      string `json:"loadAverage,omitempty"` // of the last minute, before the run
}

func thisMachine() machine {
	m := machine{Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Cores: runtime.NumCPU()}
	if raw, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(raw), " ")
	}
	if raw, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.Processor = procField(raw, "model name")
	}
	return m
}

func (m machine) String() string {
	text := fmt.Sprintf("%s, %d cores, %s", m.Platform, m.Cores, m.Go)
	if m.Processor != "" {
		text += ", " + m.Processor
	}
	if m.Load != "" {
		text += ", load average before " + m.Load
	}
	return text
}

// procField reads a line "name: value" as the files in /proc have them.
func procField(raw []byte, name string) string {
	for line := range bytes.Lines(raw) {
		key, value, found := strings.Cut(string(line), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// peakMemory is the largest resident memory a process had, in MiB; 0 where the system
// does not tell.
func peakMemory(pid int) (float64, error) {
	raw, err := os.ReadFile(procFile(pid, "status"))
	if errors.Is(err, os.ErrNotExist) && runtime.GOOS != "linux" {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return parsePeakMemory(raw)
}

func parsePeakMemory(status []byte) (float64, error) {
	value := procField(status, "VmHWM")
	kibibytes, err := strconv.ParseFloat(strings.TrimSuffix(value, " kB"), 64)
	if err != nil {
		return 0, errors.New("the status of the gateway process does not name its resident memory")
	}
	return kibibytes / 1024, nil
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}

// cpuTimes are processor times since the start of each process.
type cpuTimes struct {
	gateway, signer, client time.Duration
	known                   bool
}

func (s *benchSite) cpu() cpuTimes {
	var t cpuTimes
	var errs [3]error
	t.gateway, errs[0] = processorTime(s.gateway.Command.Process.Pid)
	t.signer, errs[1] = processorTime(s.signer.Command.Process.Pid)
	t.client, errs[2] = processorTime(os.Getpid())
	t.known = errors.Join(errs[:]...) == nil
	return t
}

func (t cpuTimes) since(before cpuTimes) cpuTimes {
	return cpuTimes{t.gateway - before.gateway, t.signer - before.signer, t.client - before.client, t.known && before.known}
}

// note says what one issue cost.
func (t cpuTimes) note(issues int64) string {
	if !t.known || issues == 0 {
		return ""
	}
	each := func(d time.Duration) string { return figure(milliseconds(d) / float64(issues)) }
	return fmt.Sprintf("; processor time of an issue: gateway %s ms, signer %s ms, this client %s ms", each(t.gateway), each(t.signer), each(t.client))
}

func processorTime(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return 0, err
	}
	return parseProcessorTime(raw)
}

// parseProcessorTime adds user and system time, fields 14 and 15 of /proc/PID/stat. The
// second field is the name in parentheses and may itself hold spaces and parentheses.
func parseProcessorTime(stat []byte) (time.Duration, error) {
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is too short")
	}
	var sum time.Duration
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, errors.New("/proc/PID/stat holds no processor time")
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}
