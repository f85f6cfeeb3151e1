package hapi

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Severities of findings (FHIR R4, OperationOutcome.issue.severity).
const (
	SeverityFatal   = "fatal"
	SeverityError   = "error"
	SeverityWarning = "warning"
)

// Finding is what the validator says about one place of a resource.
type Finding struct {
	Severity string
	Rule     string // the validator's own name of its rule; empty where it has none
	Path     string // FHIRPath of the element
	Text     string // may repeat values of the resource
}

// Validator is the instance validator of HL7 for FHIR R4, as HAPI has it, in a process of its
// own. It is safe for concurrent use; resources are validated one after the other.
type Validator struct {
	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
	log tail
}

// maxOutcome bounds an answer, in bytes.
const maxOutcome = 64 << 20

var validators = struct {
	sync.Mutex
	started map[string]func() (*Validator, error)
}{started: map[string]func() (*Validator, error){}}

// StartValidator gives the validator that the tests of this process with the same guides
// share; guides are packages of their definitions (.tgz). It runs until the process ends. It
// skips or fails the test where HAPI cannot be had; HAPI_URL does not matter to it.
func StartValidator(t testing.TB, guides ...string) *Validator {
	t.Helper()
	key := fmt.Sprint(guides)
	validators.Lock()
	start := validators.started[key]
	if start == nil {
		start = sync.OnceValues(func() (*Validator, error) { return launchValidator(guides) })
		validators.started[key] = start
	}
	validators.Unlock()
	v, err := start()
	present(t, err)
	return v
}

// launchValidator starts the process, which ends when its standard input does.
func launchValidator(guides []string) (*Validator, error) {
	i, err := install()
	if err != nil {
		return nil, err
	}
	v := &Validator{}
	options := []string{"-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", i.classPath(validatorClasses), "Validator"}
	command := exec.Command(i.java, append(options, guides...)...)
	command.Stderr = &v.log
	if v.in, err = command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.out = bufio.NewReader(out)
	return v, command.Start()
}

// Validate gives what there is to say about a resource in JSON, as it is sent: its bytes are
// what is validated.
func (v *Validator) Validate(resource []byte) ([]Finding, error) {
	raw, err := v.exchange(resource)
	if err != nil {
		return nil, fmt.Errorf("the validator: %w: %s", err, v.log.String())
	}
	var outcome struct {
		Issue []struct {
			Severity    string
			Details     struct{ Coding []struct{ Code string } }
			Diagnostics string
			Location    []string
		}
	}
	if err := json.Unmarshal(raw, &outcome); err != nil {
		return nil, err
	}
	var found []Finding
	for _, i := range outcome.Issue {
		f := Finding{Severity: i.Severity, Text: i.Diagnostics}
		if len(i.Details.Coding) > 0 {
			f.Rule = i.Details.Coding[0].Code
		}
		if len(i.Location) > 0 { // the second is line and column
			f.Path = i.Location[0]
		}
		if f.Rule != "" || f.Severity != "information" || !strings.HasPrefix(f.Text, "No issues") {
			found = append(found, f)
		}
	}
	return found, nil
}

// exchange sends a resource and reads the OperationOutcome.
func (v *Validator) exchange(resource []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(resource)))
	if _, err := v.in.Write(append(frame, resource...)); err != nil {
		return nil, err
	}
	var size uint32
	if err := binary.Read(v.out, binary.BigEndian, &size); err != nil {
		return nil, err
	}
	if size > maxOutcome {
		return nil, errors.New("the answer is too long")
	}
	raw := make([]byte, size)
	_, err := io.ReadFull(v.out, raw)
	return raw, err
}
