//go:build cgo

package hsm

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	store "github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
)

// helper is what the test binary does as another process: "create" makes a version of the
// label, "public" prints a public key after it signed something with it.
func helper(role string) int {
	version, err := strconv.Atoi(os.Args[4])
	if err == nil {
		err = help(role, store.Config{
			Module: os.Args[1], TokenLabel: os.Args[2], PIN: config.SecretFile(os.Args[3]),
			MaxSessions: 4, Timeout: 5 * time.Second,
		}, keystore.Ref{Label: os.Args[5], Version: version})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func help(role string, c store.Config, ref keystore.Ref) error {
	ctx := context.Background()
	s, err := store.Open(ctx, c)
	if err != nil {
		return err
	}
	defer s.Close()
	if role == "create" {
		made, _, err := s.Create(ctx, ref.Label)
		fmt.Print(made)
		return err
	}
	public, err := s.Public(ctx, ref)
	if err != nil {
		return err
	}
	digest := keystore.Digest{1}
	if _, err := keystore.NewSigner(ctx, s, ref, public).Sign(nil, digest[:], nil); err != nil {
		return err
	}
	fmt.Printf("%x", public.X)
	return nil
}
