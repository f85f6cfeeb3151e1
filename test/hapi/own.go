package hapi

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// Subscriptions has the server notify, by HAPI's own schedule.
const Subscriptions Option = "-Dpeer.subscriptions=true"

// Own is a server of one test, which keeps its data in a file: it can be killed and started
// again.
type Own struct {
	t       testing.TB
	options []Option
	process *process
}

// New prepares a server for the test; Start starts it. It ends with the test. HAPI_URL does
// not matter to it.
func New(t testing.TB, options ...Option) *Own {
	t.Helper()
	o := &Own{t: t, options: append(options, Option("-Dpeer.database="+filepath.Join(t.TempDir(), "h2")))}
	t.Cleanup(o.Kill)
	return o
}

// Start starts the server, with what it had stored, and gives its base address, which is
// another each time. It skips or fails the test where HAPI cannot be had: call it from the
// test's own goroutine.
func (o *Own) Start() string {
	o.t.Helper()
	p, err := launch(o.options)
	present(o.t, err)
	o.process = p
	return p.base
}

// Kill ends the server as kill -9 does, if it runs. What it has answered is in its file.
func (o *Own) Kill() {
	if o.process != nil {
		o.process.kill()
		o.process = nil
	}
}

// Log is the end of what the server wrote since its start.
func (o *Own) Log() string {
	if o.process == nil {
		return ""
	}
	return o.process.log.String()
}

// password of the stores, which are the test's own.
const password = "specimen"

// Identity lets the server call others over TLS: as the certificate and key, trusting the CA,
// all PEM files.
func Identity(t testing.TB, cert, key, ca string) []Option {
	t.Helper()
	dir := t.TempDir()
	keys, trusted := filepath.Join(dir, "keys.p12"), filepath.Join(dir, "trusted.p12")
	run := func(program string, args ...string) {
		t.Helper()
		if _, err := exec.LookPath(program); err != nil {
			present(t, &absence{program + " is not installed: it makes the key stores of HAPI"})
		}
		if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", program, err, out)
		}
	}
	run("openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-out", keys, "-passout", "pass:"+password)
	run("keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", ca, "-storetype", "PKCS12", "-keystore", trusted, "-storepass", password)
	var options []Option
	for name, value := range map[string]string{
		"keyStore": keys, "keyStorePassword": password, "keyStoreType": "PKCS12",
		"trustStore": trusted, "trustStorePassword": password, "trustStoreType": "PKCS12",
	} {
		options = append(options, Option("-Djavax.net.ssl."+name+"="+value))
	}
	return options
}
