package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/test/harness"
)

// TestDemo runs the newcomer's command and looks at everything it leaves, with readers
// that are not ours.
func TestDemo(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "demo")
	printed, err := runTool(t, "demo", "--out", out)
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	jwks := read(t, filepath.Join(out, "jwks.json"))
	list := filepath.Join(out, "trustlist.json")
	for n := 1; n <= 2; n++ {
		text := string(read(t, filepath.Join(out, fmt.Sprintf("dose-%d.hc1", n))))
		if got := harness.DecodeQR(t, read(t, filepath.Join(out, fmt.Sprintf("dose-%d.png", n)))); got != text {
			t.Errorf("dose %d: the picture shows another text", n)
		}
		claims := independentVerify(t, text, jwks)
		if claims.Issuer != "XX" || claims.Expires <= time.Now().Unix() {
			t.Errorf("dose %d: claims %+v", n, claims)
		}
		for _, format := range []string{"dcc", "shc", "vdsnc"} {
			name := filepath.Join(out, fmt.Sprintf("dose-%d.%s", n, format))
			if got := harness.DecodeQR(t, read(t, name+".png")); got != string(read(t, name+".txt")) {
				t.Errorf("dose %d, %s: the picture shows another text", n, format)
			}
		}
		for _, kind := range []string{"hc1", "png", "document.json", "dcc.txt", "dcc.png", "shc.txt", "shc.png", "vdsnc.txt", "vdsnc.png"} {
			file := filepath.Join(out, fmt.Sprintf("dose-%d.%s", n, kind))
			if printed, err := runTool(t, "verify", "--trust", list, file); err != nil || !strings.HasPrefix(printed, "VALID") {
				t.Errorf("%s: %v %s", file, err, printed)
			}
		}
		if printed, err := runTool(t, "inspect", text); err != nil || !strings.Contains(printed, "Adaeze") {
			t.Errorf("inspect: %v %s", err, printed)
		}
	}
	if card := read(t, filepath.Join(out, "card.pdf")); !bytes.HasPrefix(card, []byte("%PDF-")) {
		t.Error("the card is no PDF")
	}
	toolSaysNo(t, out, list)
}

// toolSaysNo: each refusal has its reason and exit code 1; a wrong command line has 2.
func toolSaysNo(t *testing.T, out, list string) {
	t.Helper()
	text := string(read(t, filepath.Join(out, "dose-1.hc1")))
	document := read(t, filepath.Join(out, "dose-1.document.json"))
	changed := filepath.Join(out, "changed.json")
	write(t, changed, bytes.Replace(document, []byte("SPEC-1A"), []byte("SPEC-1B"), 1))
	blank := filepath.Join(out, "blank.png")
	picture := read(t, filepath.Join(out, "dose-1.png"))
	write(t, blank, picture[:len(picture)/2])
	for name, tc := range map[string]struct {
		args []string
		want string
		code int
	}{
		"expired":          {[]string{"--trust", list, "--at", "2040-01-01T00:00:00Z", text}, "expired", 1},
		"not yet":          {[]string{"--trust", list, "--at", "2020-01-01T00:00:00Z", text}, "not_yet_valid", 1},
		"cut off":          {[]string{"--trust", list, text[:len(text)-9]}, "NOT VALID", 1},
		"other version":    {[]string{"--trust", list, "HC1:" + "A"}, "invalid_base45", 1},
		"changed document": {[]string{"--trust", list, changed}, "document_bad_signature", 1},
		"half a picture":   {[]string{"--trust", list, blank}, "qr_unreadable", 1},
		"no such file":     {[]string{"--trust", list, filepath.Join(out, "nothing")}, "cannot be used", 2},
		"no list":          {[]string{text}, "trust", 2},
		"bad list":         {[]string{"--trust", changed, text}, "trust list", 2},
	} {
		printed, err := runTool(t, append([]string{"verify"}, tc.args...)...)
		if exit(err) != tc.code || !strings.Contains(printed, tc.want) {
			t.Errorf("%s: exit %d, want %d with %q:\n%s", name, exit(err), tc.code, tc.want, printed)
		}
	}
}

func exit(err error) int {
	if err == nil {
		return 0
	}
	var e *exec.ExitError
	if errors.As(err, &e) {
		return e.ExitCode()
	}
	return -1
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func write(t *testing.T, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDemoCanBeKilledAndStartedAgain: neither kill -9 nor Ctrl-C leaves anything behind
// that keeps the next start from working, and no child outlives the demo.
func TestDemoCanBeKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "demo")
	for _, end := range []os.Signal{os.Kill, os.Interrupt, os.Kill} {
		address := keepDemo(t, out, end)
		deadline := time.Now().Add(15 * time.Second)
		for {
			connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", address)
			if err != nil {
				break
			}
			_ = connection.Close()
			if time.Now().After(deadline) {
				t.Fatalf("the gateway outlived the demo after %v", end)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	if printed, err := runTool(t, "demo", "--out", out); err != nil {
		t.Errorf("%v\n%s", err, printed)
	}
}

// keepDemo runs `demo --keep` until it is ready, ends it and gives the gateway's address.
func keepDemo(t *testing.T, out string, end os.Signal) string {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), harness.Binary(t, "ddcc"), "demo", "--keep", "--out", out)
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "gateway on "); ok {
			address, _, _ = strings.Cut(rest, " ")
		}
		if strings.Contains(lines.Text(), "Ctrl-C stops both") {
			break
		}
	}
	if err := command.Process.Signal(end); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait()
	if address == "" {
		t.Fatal("the demo never got ready")
	}
	return address
}
