package reader

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"
	"testing"
)

func specimen(t *testing.T) *Message {
	t.Helper()
	m, err := DecodeCOSE(specimenMessage(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestToBeSigned(t *testing.T) {
	t.Parallel()
	m := &Message{Protected: []byte{0xa0}}
	for size, head := range map[int]string{0: "40", 23: "57", 24: "5818", 255: "58ff", 256: "590100", 65535: "59ffff", 65536: "5a00010000"} {
		m.Payload = make([]byte, size)
		want := append(unhex(t, "846a5369676e6174757265"+"31"+"41a0"+"40"+head), m.Payload...)
		if got := m.ToBeSigned(); string(got) != string(want) {
			t.Errorf("%d bytes: got %.40x", size, got)
		}
	}
}

func TestVerifyES256(t *testing.T) {
	t.Parallel()
	good := &specimenKey(t).PublicKey
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	order := elliptic.P256().Params().N
	offCurve := *good
	offCurve.X = new(big.Int).Add(good.X, big.NewInt(1))
	outside := *good
	outside.X = new(big.Int).Lsh(good.X, 300)
	noChange := func(*Message) {}
	for name, test := range map[string]struct {
		key    crypto.PublicKey
		change func(*Message)
		want   Reason
	}{
		"good":              {good, noChange, ""},
		"other key":         {&other.PublicKey, noChange, ReasonBadSignature},
		"P-384":             {&keyOn(t, elliptic.P384()).PublicKey, noChange, ReasonUnsuitableKey},
		"RSA key":           {&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}, noChange, ReasonUnsuitableKey},
		"Ed25519 key":       {ed25519.PublicKey(make([]byte, 32)), noChange, ReasonUnsuitableKey},
		"value, no pointer": {*good, noChange, ReasonUnsuitableKey},
		"nil":               {nil, noChange, ReasonUnsuitableKey},
		"nil pointer":       {(*ecdsa.PublicKey)(nil), noChange, ReasonUnsuitableKey},
		"empty key":         {&ecdsa.PublicKey{}, noChange, ReasonUnsuitableKey},
		"no point":          {&ecdsa.PublicKey{Curve: elliptic.P256()}, noChange, ReasonUnsuitableKey},
		"not on the curve":  {&offCurve, noChange, ReasonBadSignature},
		"outside the field": {&outside, noChange, ReasonBadSignature},
		"no signature":      {good, func(m *Message) { m.Signature = nil }, ReasonBadSignature},
		"short":             {good, func(m *Message) { m.Signature = m.Signature[:63] }, ReasonBadSignature},
		"long":              {good, func(m *Message) { m.Signature = append(m.Signature, 0) }, ReasonBadSignature},
		"zeros":             {good, func(m *Message) { clear(m.Signature) }, ReasonBadSignature},
		"s is zero":         {good, func(m *Message) { clear(m.Signature[32:]) }, ReasonBadSignature},
		"r is the order":    {good, func(m *Message) { order.FillBytes(m.Signature[:32]) }, ReasonBadSignature},
		"bit in r":          {good, func(m *Message) { m.Signature[5] ^= 1 }, ReasonBadSignature},
		"bit in payload":    {good, func(m *Message) { m.Payload[len(m.Payload)-1] ^= 1 }, ReasonBadSignature},
		"bit in header":     {good, func(m *Message) { m.Protected[len(m.Protected)-1] ^= 1 }, ReasonBadSignature},
		"no algorithm":      {good, func(m *Message) { m.Algorithm = 0 }, ReasonUnsupportedAlgorithm},
		"PS256 with EC":     {good, func(m *Message) { m.Algorithm = AlgorithmPS256 }, ReasonUnsuitableKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := specimen(t)
			test.change(m)
			wantReason(t, m.Verify(test.key), test.want)
		})
	}
}

// Alg -7 with P-384, as one state issued it: the signature itself is right.
func TestVerifyPinsTheCurve(t *testing.T) {
	t.Parallel()
	key := keyOn(t, elliptic.P384())
	protected, payload := unhex(t, specimenProtected), unhex(t, specimenPayload)
	m, err := DecodeCOSE(encode(t, []any{protected, map[int]int{}, payload, es256(t, key, protected, payload)}))
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, m.Verify(&key.PublicKey), ReasonUnsuitableKey)
}

func TestVerifyPS256(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		bits, salt int
		hash       crypto.Hash
		want       Reason
	}{
		{"2048 bits", 2048, 32, crypto.SHA256, ""},
		{"3072 bits", 3072, 32, crypto.SHA256, ""},
		{"4096 bits", 4096, 32, crypto.SHA256, ""},
		{"2047 bits", 2047, 32, crypto.SHA256, ReasonUnsuitableKey},
		{"1024 bits", 1024, 32, crypto.SHA256, ReasonUnsuitableKey},
		{"salt of 20", 2048, 20, crypto.SHA256, ReasonBadSignature},
		{"salt of 64", 2048, 64, crypto.SHA256, ReasonBadSignature},
		{"SHA-512", 2048, 32, crypto.SHA512, ReasonBadSignature},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := rsa.GenerateKey(rand.Reader, test.bits)
			if err != nil {
				t.Fatal(err)
			}
			m := ps256(t, key, test.hash, test.salt)
			wantReason(t, m.Verify(&key.PublicKey), test.want)
			if test.want == "" {
				m.Payload[0] ^= 1
				wantReason(t, m.Verify(&key.PublicKey), ReasonBadSignature)
			}
			wantReason(t, m.Verify(&specimenKey(t).PublicKey), ReasonUnsuitableKey)
		})
	}
}

func TestVerifyPS256RefusesKeys(t *testing.T) {
	t.Parallel()
	m := specimen(t)
	m.Algorithm, m.Signature = AlgorithmPS256, make([]byte, 256)
	even := new(big.Int).Lsh(big.NewInt(1), 2047)
	for name, test := range map[string]struct {
		key  crypto.PublicKey
		want Reason
	}{
		"nil pointer": {(*rsa.PublicKey)(nil), ReasonUnsuitableKey},
		"empty":       {&rsa.PublicKey{}, ReasonUnsuitableKey},
		"5000 bits":   {&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 4999), E: 65537}, ReasonUnsuitableKey},
		"even":        {&rsa.PublicKey{N: even, E: 65537}, ReasonBadSignature},
		"exponent 1":  {&rsa.PublicKey{N: new(big.Int).Add(even, big.NewInt(1)), E: 1}, ReasonBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantReason(t, m.Verify(test.key), test.want)
		})
	}
}

func ps256(t *testing.T, key *rsa.PrivateKey, hash crypto.Hash, salt int) *Message {
	t.Helper()
	protected, payload := unhex(t, "a2013824044811223344556677"+"88"), unhex(t, specimenPayload)
	tbs := encode(t, []any{"Signature1", protected, []byte{}, payload})
	digest := sha256.Sum256(tbs)
	sum := digest[:]
	if hash != crypto.SHA256 {
		h := hash.New()
		h.Write(tbs)
		sum = h.Sum(nil)
	}
	signature, err := rsa.SignPSS(rand.Reader, key, hash, sum, &rsa.PSSOptions{SaltLength: salt, Hash: hash})
	if err != nil {
		t.Fatal(err)
	}
	m, err := DecodeCOSE(encode(t, []any{protected, map[int]int{}, payload, signature}))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
