package keyring_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/docstore"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keyring"
	"github.com/trustedparty/ddcc-gateway/signing/keyring/keyringtest"
)

// single is a document store for one document, quick enough to fuzz what reads it.
type single struct {
	docstore.Store
	mu  sync.Mutex
	doc docstore.Document
}

func (s *single) Get(context.Context, string, string) (docstore.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.doc.Version == 0 {
		return docstore.Document{}, docstore.ErrNotFound
	}
	return s.doc, nil
}

func (s *single) Insert(_ context.Context, _ string, d docstore.Document) (docstore.Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.Version = s.doc.Version + 1
	s.doc = d
	return d, nil
}

func (s *single) Update(ctx context.Context, collection string, d docstore.Document) (docstore.Document, error) {
	return s.Insert(ctx, collection, d)
}

// FuzzStoredRegister: whatever stands in the document store, opening it neither crashes
// nor gives a key that no pinned CSCA issued.
func FuzzStoredRegister(f *testing.F) {
	authority, clock, records := keyringtest.NewAuthority(f), keyringtest.NewClock(), &single{}
	ring := authority.Ring(f, records, clock, 0)
	reg := authority.Key(f, vaccination)
	for id, req := range map[string]signing.OperationRequest{"1": register(reg), "2": {Kind: signing.OperationCRL, CRL: authority.CRL(f, 1, clock.Now())}} {
		if err := ring.Apply(ctx, id, req); err != nil {
			f.Fatal(err)
		}
	}
	body := records.doc.Body
	f.Add(body)
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"keys":[{}],"crls":["MAA="]}`))
	f.Add(bytes.Replace(body, []byte(`"vaccination"`), []byte(`"test"`), 1))
	f.Add(bytes.Replace(body, []byte(`"activateAt"`), []byte(`"retireAt"`), 1))
	f.Fuzz(func(t *testing.T, body []byte) {
		ring, err := keyring.Open(ctx, authority.Deps(&single{doc: docstore.Document{ID: "register", Version: 1, Body: body}}, clock.Now, 0))
		if err != nil {
			return
		}
		keys, err := ring.Keys(ctx)
		if err != nil {
			t.Error(err)
		}
		for _, k := range keys {
			if !bytes.Equal(k.Certificate, reg.Certificate) {
				t.Error("a key that was never certified is on the register")
			}
		}
	})
}

// FuzzRegistration: certificates and lists come from people; none of them crashes the
// register, and none is taken that the CSCA did not sign.
func FuzzRegistration(f *testing.F) {
	authority, clock := keyringtest.NewAuthority(f), keyringtest.NewClock()
	ring := authority.Ring(f, &single{}, clock, 0)
	reg, crl := authority.Key(f, vaccination), authority.CRL(f, 1, clock.Now())
	f.Add(reg.Certificate, crl, "vaccination", "dsc-vaccination", 1)
	f.Add([]byte{0x30}, []byte{0x30, 0x80}, "", "", -1)
	f.Fuzz(func(t *testing.T, certificate, list []byte, usage, label string, version int) {
		changed := reg
		changed.Certificate, changed.Usage, changed.Label, changed.Version = certificate, usage, label, version
		if ring.Check(ctx, register(changed)) == nil && !bytes.Equal(certificate, reg.Certificate) {
			t.Error("takes a certificate the CSCA did not issue")
		}
		req := signing.OperationRequest{Kind: signing.OperationCRL, CRL: list}
		if ring.Check(ctx, req) == nil && !bytes.Equal(list, crl) {
			t.Error("takes a list the CSCA did not issue")
		}
	})
}
