//go:build cgo

package pkcs11

import (
	"errors"
	"fmt"
	"sync"

	"github.com/miekg/pkcs11"
)

// witness is a session that signs nothing. It tells whether the token is logged in: one
// that is not shows no private keys, which must not pass for their absence. And it lists
// what is there under a label, halves of pairs included.
type witness struct {
	library *pkcs11.Ctx
	mu      sync.Mutex // a session is for one thread at a time
	session pkcs11.SessionHandle
}

// newWitness opens the session. The library must be initialised.
func newWitness(c Config) (*witness, error) {
	library := pkcs11.New(c.Module)
	if library == nil {
		return nil, errors.New("the library cannot be loaded")
	}
	slot, err := slotOf(library, c)
	if err == nil {
		var session pkcs11.SessionHandle
		if session, err = library.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err == nil {
			return &witness{library: library, session: session}, nil
		}
	}
	library.Destroy()
	return nil, err
}

// slotOf finds the token that c names.
func slotOf(library *pkcs11.Ctx, c Config) (uint, error) {
	slots, err := library.GetSlotList(true)
	if err != nil {
		return 0, err
	}
	for _, slot := range slots {
		info, err := library.GetTokenInfo(slot)
		if err != nil {
			return 0, err
		}
		switch {
		case c.Slot != nil && uint(*c.Slot) == slot,
			c.TokenLabel != "" && info.Label == c.TokenLabel,
			c.TokenSerial != "" && info.SerialNumber == c.TokenSerial:
			return slot, nil
		}
	}
	return 0, errors.New("there is no such token")
}

func (w *witness) loggedIn() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := w.library.GetSessionInfo(w.session)
	return err == nil && (info.State == pkcs11.CKS_RO_USER_FUNCTIONS || info.State == pkcs11.CKS_RW_USER_FUNCTIONS)
}

// maxObjects bounds how many keys of one label are looked at.
const maxObjects = 4096

// ids gives the CKA_ID of every private and public key with a label.
func (w *witness) ids(label string) ([][]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids [][]byte
	for _, class := range []uint{pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY} {
		objects, err := w.find(class, label)
		if err != nil {
			return nil, err
		}
		for _, object := range objects {
			found, err := w.library.GetAttributeValue(w.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
			if err != nil {
				return nil, err
			}
			ids = append(ids, found[0].Value)
		}
	}
	return ids, nil
}

func (w *witness) find(class uint, label string) ([]pkcs11.ObjectHandle, error) {
	if err := w.library.FindObjectsInit(w.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label),
	}); err != nil {
		return nil, err
	}
	var objects []pkcs11.ObjectHandle
	var err error
	for more := true; more && err == nil && len(objects) <= maxObjects; {
		var some []pkcs11.ObjectHandle
		some, _, err = w.library.FindObjects(w.session, 64)
		objects, more = append(objects, some...), len(some) > 0
	}
	err = errors.Join(err, w.library.FindObjectsFinal(w.session))
	if err == nil && len(objects) > maxObjects {
		err = fmt.Errorf("more than %d keys have the label", maxObjects)
	}
	return objects, err
}

func (w *witness) closeSession() { _ = w.library.CloseSession(w.session) } // it may be gone
