package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/devinstall"
)

type demoCmd struct {
	Out  string `default:"out/demo" help:"Directory for what the demo leaves." placeholder:"DIR"`
	Keep bool   `help:"Keep signer and gateway running and print curl lines to try."`

	storeFlags `embed:""`
	SignerFlag []string `sep:"none" help:"With a key store of its own: a flag by which the signer reaches it, e.g. --signer-flag=--key-store=vault. Repeat it." placeholder:"FLAG"`
}

// Run is the main job from end to end, in two processes of their own.
func (c *demoCmd) Run(s streams) error {
	d := &demo{streams: s, out: c.Out, began: time.Now(), signerFlags: c.SignerFlag}
	if err := d.prepare(c.storeFlags); err != nil {
		return err
	}
	defer d.stop()
	for _, step := range []func() error{d.startProcesses, d.issueBatch, d.fetchCard, d.fetchKeys, d.verifyAll} {
		if err := step(); err != nil {
			return err
		}
	}
	d.say("\nEverything is in %s.", c.Out)
	if c.Keep {
		return d.keep()
	}
	d.say("Try: bin/ddcc verify --trust %s %s", d.file("trustlist.json"), d.file("dose-1.png"))
	d.say("     and open %s", d.file(cardName))
	return nil
}

// demo is one run.
type demo struct {
	streams
	out             string
	began           time.Time
	install         devinstall.Installation
	signer, gateway *devinstall.Child
	signerFlags     []string
	issuer          *issuer
	doses           []demoDose
}

// startLimit is how long the two processes may take to listen.
const startLimit = 30 * time.Second

func (d *demo) file(name string) string { return filepath.Join(d.out, name) }

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.stdout, format+"\n", args...) }

// prepare clears what an earlier run left, whether it ended well or was killed.
func (d *demo) prepare(keys storeFlags) error {
	if err := os.MkdirAll(d.out, 0o755); err != nil { //nolint:gosec // the results are for the user to look at
		return err
	}
	old, err := filepath.Glob(d.file("dose-*"))
	if err != nil {
		return err
	}
	for _, path := range append(old, d.file(cardName), d.file("jwks.json"), d.file("trustlist.json"), d.file("signer.log"), d.file("gateway.log")) {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	d.install = devinstall.Installation(d.file("installation"))
	if err := os.RemoveAll(string(d.install)); err != nil {
		return err
	}
	if err := d.createKeys(keys); err != nil {
		return err
	}
	d.say("1. Development PKI: TLS CA and certificates of gateway, signer, issuer and two operators; CSCA and a signer for each kind of certificate")
	return nil
}

// createKeys makes the installation, with keys in files or in the key store that was named.
func (d *demo) createKeys(keys storeFlags) error {
	if keys.KeyStore == "software" {
		return d.install.Create(time.Now())
	}
	if len(d.signerFlags) == 0 {
		return usage("the signer needs the flags of its key store; give them with --signer-flag")
	}
	maker, err := openMaker(d.ctx, keys)
	if err != nil {
		return err
	}
	return d.install.CreateOn(time.Now(), maker)
}

func (d *demo) startProcesses() error {
	signerBinary, err := sibling("signer")
	if err != nil {
		return err
	}
	gatewayBinary, err := sibling("gateway")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(d.ctx, startLimit)
	defer cancel()
	// The processes are not bound to ctx: they live until stop.
	if d.signer, err = devinstall.Start(context.WithoutCancel(d.ctx), "signer", signerBinary, d.file("signer.log"), d.install.SignerArgs("127.0.0.1:0", d.signerFlags...)); err != nil {
		return err
	}
	signerAddress, err := d.signer.Listening(ctx)
	if err != nil {
		return err
	}
	if err := d.install.Register(ctx, signerAddress); err != nil {
		return err
	}
	args := d.install.GatewayArgs(preferredAddress(), signerAddress)
	if d.gateway, err = devinstall.Start(context.WithoutCancel(d.ctx), "gateway", gatewayBinary, d.file("gateway.log"), args); err != nil {
		return err
	}
	gatewayAddress, err := d.gateway.Listening(ctx)
	if err != nil {
		return err
	}
	d.issuer, err = gatewayFlags{
		Gateway: "https://" + gatewayAddress, CA: d.install.Path("tls", "ca.pem"),
		Cert: d.install.Path("tls", "issuer.pem"), Key: d.install.Path("tls", "issuer.key"),
	}.open()
	d.say("2. Two processes, mutual TLS between them: signer on %s, gateway on %s (%s);\n   two operators put the keys on the signer's register",
		signerAddress, gatewayAddress, time.Since(d.began).Round(time.Millisecond))
	return err
}

// preferredAddress is the usual port if nobody has it, else any.
func preferredAddress() string {
	const usual = "127.0.0.1:8443"
	l, err := net.Listen("tcp", usual) //nolint:noctx // a local look, closed at once
	if err != nil {
		return "127.0.0.1:0"
	}
	if err := l.Close(); err != nil {
		return "127.0.0.1:0"
	}
	return usual
}

func (d *demo) stop() {
	for _, c := range []*devinstall.Child{d.gateway, d.signer} {
		if c != nil {
			c.Stop()
		}
	}
}

// sibling finds a binary beside this one.
func sibling(name string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(path); err != nil {
		return "", usage("the %s binary is not beside this one (run `make build`)", name)
	}
	return path, nil
}
