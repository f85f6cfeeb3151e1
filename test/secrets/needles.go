// Package secrets proves that secrets stay where they belong: it runs the real processes,
// makes them fail and crash, and searches everything they let out for the secrets they
// were given, in every form a program prints bytes in.
//
// To cover another secret (a Vault token, an AppRole secret id, the PIN of an HSM), add it
// to the Needles of the test and to what is searched the places where it could turn up.
package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Needles are the secrets to search for.
type Needles struct{ list []needle }

type needle struct {
	name  string
	forms []form
}

type form struct {
	name string
	text []byte
}

// minText is the shortest secret that cannot stand in a log by chance, in bytes. Give
// tests a long PIN.
const minText = 12

// Text adds a secret that is text: a passphrase, a token, a PIN.
func (n *Needles) Text(t testing.TB, name, secret string) {
	t.Helper()
	if len(secret) < minText {
		t.Fatalf("the secret %s is too short to search for: %d bytes", name, len(secret))
	}
	forms := formsOf([]byte(secret))
	for i := 0; i+minText <= len(secret); i += minText / 2 {
		forms = append(forms, form{"part of the text", []byte(secret[i : i+minText])})
	}
	n.list = append(n.list, needle{name, forms})
}

// Bytes adds a secret that is random bytes. A third of it is enough to be found.
func (n *Needles) Bytes(t testing.TB, name string, secret []byte) {
	t.Helper()
	if len(secret) < 2*minText {
		t.Fatalf("the secret %s is too short to search for: %d bytes", name, len(secret))
	}
	forms := formsOf(secret)
	for i := 0; i+8 <= len(secret); i += 8 { // the words of a traceback
		word := bytes.Clone(secret[i : i+8])
		forms = append(forms, form{"word", []byte(hex.EncodeToString(word))}, form{"array", dump(word)})
		for a, b := 0, 7; a < b; a, b = a+1, b-1 {
			word[a], word[b] = word[b], word[a]
		}
		forms = append(forms, form{"word of this machine", []byte(hex.EncodeToString(word))})
	}
	for i := 0; i+minText <= len(secret); i += minText / 2 {
		forms = append(forms, form{"part of the bytes", secret[i : i+minText]})
	}
	n.list = append(n.list, needle{name, forms})
}

// PrivateKey adds the scalar of an ECDSA key or the seed of an Ed25519 key, and with it
// every encoding it is part of.
func (n *Needles) PrivateKey(t testing.TB, name string, key any) {
	t.Helper()
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		n.Bytes(t, name, scalar)
		n.list[len(n.list)-1].forms = append(n.list[len(n.list)-1].forms, form{"number", []byte(key.D.String())}) //nolint:staticcheck // what a printed key shows
	case ed25519.PrivateKey:
		n.Bytes(t, name, key.Seed())
	default:
		t.Fatalf("%s: a private key of type %T", name, key)
	}
}

// PKCS8 adds the private key in a PKCS #8 structure.
func (n *Needles) PKCS8(t testing.TB, name string, der []byte) {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	n.PrivateKey(t, name, key)
}

// Len is the number of secrets.
func (n *Needles) Len() int { return len(n.list) }

// formsOf gives the ways in which programs write bytes. Base64 comes in the three ways in
// which the bytes can lie inside something longer, such as the PEM of a key.
func formsOf(secret []byte) []form {
	forms := []form{
		{"raw", secret},
		{"hexadecimal", []byte(hex.EncodeToString(secret))},
		{"array", dump(secret)},
		{"list of numbers", numbers(secret)},
	}
	if quoted, err := json.Marshal(string(secret)); err == nil {
		forms = append(forms, form{"JSON text", bytes.Trim(quoted, `"`)})
	}
	forms = append(forms, form{"quoted", []byte(strings.Trim(fmt.Sprintf("%q", secret), `"`))})
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString(append(make([]byte, before), secret...))
		// What neighbours decide is cut off: the first digits and the last.
		text = strings.TrimRight(text, "=")
		text = text[(before*8+5)/6 : len(text)-1]
		forms = append(forms,
			form{"base64", []byte(text)},
			form{"base64 for URLs", []byte(strings.NewReplacer("+", "-", "/", "_").Replace(text))})
	}
	return forms
}

// dump writes bytes as %#v and tracebacks do: hexadecimal without leading zeros. What
// stands between them is taken out by Search.
func dump(b []byte) []byte {
	var text []byte
	for _, one := range b {
		text = strconv.AppendUint(text, uint64(one), 16)
	}
	return text
}

// numbers writes bytes as %v does.
func numbers(b []byte) []byte {
	texts := make([]string, len(b))
	for i, one := range b {
		texts[i] = strconv.Itoa(int(one))
	}
	return []byte(strings.Join(texts, " "))
}

// Search reports every secret that is in what a process let out, by names alone.
func (n *Needles) Search(content []byte) []string {
	joined := without(content, `\n`, `\r`, "\n", "\r") // PEM, also as JSON escapes it
	digits := bytes.ToLower(without(joined, " ", "\t", ":", ",", "0x"))
	views := [][]byte{content, joined, digits}
	var found []string
	for _, needle := range n.list {
		for _, f := range needle.forms {
			if inAny(views, f.text) {
				found = append(found, needle.name+" ("+f.name+")")
				break
			}
		}
	}
	return found
}

// without takes out what is put between digits.
func without(content []byte, texts ...string) []byte {
	for _, text := range texts {
		content = bytes.ReplaceAll(content, []byte(text), nil)
	}
	return content
}

func inAny(views [][]byte, text []byte) bool {
	for _, view := range views {
		if bytes.Contains(view, text) {
			return true
		}
	}
	return false
}
