//go:build cgo

package hsm

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	store "github.com/trustedparty/ddcc-gateway/signing/keystore/pkcs11"
	"github.com/trustedparty/ddcc-gateway/test/hsm/hsmtest"
)

func open(t testing.TB, c store.Config) *store.Store {
	t.Helper()
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// library is the PKCS #11 library as another user of this process has it: sessions and
// login are the process's, so what it does the stores suffer.
type library struct {
	t testing.TB
	*pkcs11.Ctx
	slot uint
}

func load(t testing.TB, token *hsmtest.Token) *library {
	t.Helper()
	ctx := pkcs11.New(token.Module)
	if ctx == nil {
		t.Fatal("the library cannot be loaded")
	}
	t.Cleanup(ctx.Destroy)
	l := &library{t: t, Ctx: ctx}
	slots, err := ctx.GetSlotList(true)
	l.must(err)
	for _, slot := range slots {
		info, err := ctx.GetTokenInfo(slot)
		l.must(err)
		if info.Label == token.Label {
			l.slot = slot
			return l
		}
	}
	t.Fatal("the token is not there")
	return nil
}

func (l *library) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// session runs f in a session that ends with it.
func (l *library) session(f func(pkcs11.SessionHandle)) {
	l.t.Helper()
	session, err := l.OpenSession(l.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	l.must(err)
	f(session)
	l.must(l.CloseSession(session))
}

// find gives the objects of a class with the label and id of ref.
func (l *library) find(session pkcs11.SessionHandle, class uint, ref keystore.Ref) []pkcs11.ObjectHandle {
	l.t.Helper()
	l.must(l.FindObjectsInit(session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class),
		pkcs11.NewAttribute(pkcs11.CKA_LABEL, ref.Label),
		pkcs11.NewAttribute(pkcs11.CKA_ID, ref.String()),
	}))
	objects, _, err := l.FindObjects(session, 10)
	l.must(err)
	l.must(l.FindObjectsFinal(session))
	return objects
}

// private gives the one private key of ref.
func (l *library) private(session pkcs11.SessionHandle, ref keystore.Ref) pkcs11.ObjectHandle {
	l.t.Helper()
	objects := l.find(session, pkcs11.CKO_PRIVATE_KEY, ref)
	if len(objects) != 1 {
		l.t.Fatalf("%d private keys for %s", len(objects), ref)
	}
	return objects[0]
}

// logout takes the login from every session of the process.
func (l *library) logout() {
	l.t.Helper()
	l.session(func(session pkcs11.SessionHandle) {
		if err := l.Logout(session); err != nil && err != pkcs11.Error(pkcs11.CKR_USER_NOT_LOGGED_IN) {
			l.t.Fatal(err)
		}
	})
}

// disable takes CKA_SIGN from a private key.
func (l *library) disable(ref keystore.Ref) {
	l.t.Helper()
	l.session(func(session pkcs11.SessionHandle) {
		l.must(l.SetAttributeValue(session, l.private(session, ref), []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_SIGN, false)}))
	})
}

// destroy removes objects of a version.
func (l *library) destroy(ref keystore.Ref, classes ...uint) {
	l.t.Helper()
	l.session(func(session pkcs11.SessionHandle) {
		for _, class := range classes {
			for _, object := range l.find(session, class, ref) {
				l.must(l.DestroyObject(session, object))
			}
		}
	})
}

// p256 is the DER of the curve's OID, 1.2.840.10045.3.1.7.
var p256 = []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}

// plant makes a key pair under the name of ref, whatever is there already.
func (l *library) plant(ref keystore.Ref) {
	l.t.Helper()
	name := func(more ...*pkcs11.Attribute) []*pkcs11.Attribute {
		return append(more, pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_LABEL, ref.Label), pkcs11.NewAttribute(pkcs11.CKA_ID, ref.String()))
	}
	l.session(func(session pkcs11.SessionHandle) {
		_, _, err := l.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_EC_KEY_PAIR_GEN, nil)},
			name(pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, p256), pkcs11.NewAttribute(pkcs11.CKA_VERIFY, true)),
			name(pkcs11.NewAttribute(pkcs11.CKA_SIGN, true), pkcs11.NewAttribute(pkcs11.CKA_PRIVATE, true)))
		l.must(err)
	})
}

// helperVariable makes the test binary another process with the same token.
const helperVariable = "DDCC_HSM_HELPER"

// elsewhere does something to one version in another process.
func elsewhere(t testing.TB, token *hsmtest.Token, what string, ref keystore.Ref) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], token.Module, token.Label, token.PINFile, fmt.Sprint(ref.Version), ref.Label)
	command.Env = append(os.Environ(), append(token.Env(), helperVariable+"="+what)...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", what, ref, err, out)
	}
	return string(out)
}
