//go:build cgo

// Package hsm runs the key store conformance suite and more against a real PKCS #11
// library, SoftHSM2, whose keys and sessions behave as a token's.
package hsm

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/test/harness"
	"github.com/trustedparty/ddcc-gateway/test/hsm/hsmtest"
)

// token is the one token of this process: the library reads its configuration once.
var token *hsmtest.Token

func TestMain(m *testing.M) {
	if role := os.Getenv(helperVariable); role != "" {
		os.Exit(helper(role))
	}
	code := run(m)
	harness.Clean()
	os.Exit(code)
}

func run(m *testing.M) int {
	module, _, _ := hsmtest.Module()
	if module == "" {
		return m.Run() // every test says why it does nothing
	}
	dir, err := os.MkdirTemp("", "hsm")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if token, err = hsmtest.Start(context.Background(), module, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, variable := range token.Env() {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return m.Run()
}

// needToken skips without a library, or fails where a skip would hide something.
func needToken(t testing.TB) *hsmtest.Token {
	t.Helper()
	if _, missing, must := hsmtest.Module(); missing != "" && must {
		t.Fatal(missing)
	} else if missing != "" {
		t.Skip(missing)
	}
	return token
}
