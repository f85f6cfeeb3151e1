package trust_test

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/trust/trusttest"
)

// A key with so many members that canonicalisation would take minutes is refused for its
// form, before; what a few more members of a key say is covered by the proof like the rest.
func TestKeysOfADIDDocumentAreBounded(t *testing.T) {
	t.Parallel()
	ca := trusttest.CSCA(t)
	signer := ca.ListSigner(t)
	signed := signer.Statement(t, signer.Claims(issuedAt, ca.PublicKey(ca.DSC(t), trust.UsageTest, trust.StateActive)))
	key := signer.Cert.PublicKey.(*ecdsa.PublicKey)
	members := func(n int) string {
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, `"m%d":"",`, i)
		}
		return all.String()
	}
	for name, test := range map[string]struct {
		added string // to the first key
		want  error
	}{
		"nothing":             {"", nil},
		"a member":            {`"use":"sig",`, trust.ErrDIDProof},
		"texts":               {`"key_ops":["verify"],`, trust.ErrDIDProof},
		"some members":        {members(26), trust.ErrDIDProof},
		"too many members":    {members(27), trust.ErrDIDForm},
		"far too many":        {members(400_000), trust.ErrDIDForm},
		"an object":           {`"a":{},`, trust.ErrDIDForm},
		"an object in a list": {`"a":[{}],`, trust.ErrDIDForm},
		"a list in a list":    {`"a":[[]],`, trust.ErrDIDForm},
		"numbers":             {`"a":[1],`, trust.ErrDIDForm},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := bytes.Replace(signed.DID, []byte(`"publicKeyJwk":{`), []byte(`"publicKeyJwk":{`+test.added), 1)
			if _, err := trust.VerifyDID(raw, key, trust.Limits{}); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}
