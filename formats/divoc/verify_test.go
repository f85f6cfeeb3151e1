package divoc

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func decode(t testing.TB, members map[string]any) *Message {
	t.Helper()
	m, err := DecodeCredential(encode(t, members))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestCanonical pins the statements of the specimen, which another implementation of
// JSON-LD (PyLD 3.3.0, with the nested contexts as published) gave alike.
func TestCanonical(t *testing.T) {
	t.Parallel()
	m := decode(t, signed(t))
	got, err := canonical(m.Content)
	if err != nil {
		t.Fatal(err)
	}
	if got != specimenStatements {
		t.Errorf("got\n%s", got)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	key := specimenKey()
	maxSalt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: crypto.SHA256}
	for name, tc := range map[string]struct {
		header  string
		options crypto.SignerOpts
	}{
		"PS256":           {headerPS256, pss},
		"PS256, max salt": {headerPS256, maxSalt},
		"RS256":           {`{"alg":"RS256","b64":false,"crit":["b64"]}`, crypto.SHA256},
		"other order":     {`{"crit":["b64"], "b64":false, "alg":"PS256"}`, pss},
	} {
		members := tree(t, specimen)
		sign(t, members, tc.header, key, tc.options)
		m := decode(t, members)
		if err := m.Verify(&key.PublicKey); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !m.IssuedAt.Equal(time.Date(2026, 3, 2, 22, 58, 46, 0, time.UTC)) {
			t.Errorf("%s: issued %v", name, m.IssuedAt)
		}
		_, other := signedEd25519(t)
		for what, wrong := range map[string]crypto.PublicKey{"nil": nil, "Ed25519": other, "a value": key.PublicKey, "empty": &rsa.PublicKey{}} {
			wantReason(t, name+" "+what, m.Verify(wrong), ReasonUnsuitableKey)
		}
	}
	members, public := signedEd25519(t)
	m := decode(t, members)
	if err := m.Verify(public); err != nil {
		t.Error(err)
	}
	wantReason(t, "RSA", m.Verify(&key.PublicKey), ReasonUnsuitableKey)
	wantReason(t, "short", m.Verify(public[:31]), ReasonUnsuitableKey)
}

// TestEveryValueIsCovered changes each value of the credential and of the proof options:
// the signature must notice, or the certificate be refused before.
func TestEveryValueIsCovered(t *testing.T) {
	t.Parallel()
	leaves := 0
	for _, path := range paths("", tree(t, specimen)) {
		if path == ".proof.jws" {
			continue
		}
		leaves++
		members := signed(t)
		change(members, path)
		m, err := DecodeCredential(encode(t, members))
		if err == nil {
			err = m.Verify(&specimenKey().PublicKey)
		}
		if err == nil {
			t.Errorf("%s can be changed", path)
		}
	}
	if leaves < 45 {
		t.Errorf("only %d values", leaves)
	}
}

// paths lists the places of all values that hold no others.
func paths(prefix string, value any) []string {
	var all []string
	switch value := value.(type) {
	case map[string]any:
		for name, below := range value {
			all = append(all, paths(prefix+"."+name, below)...)
		}
	case []any:
		for i, below := range value {
			all = append(all, paths(fmt.Sprintf("%s.%d", prefix, i), below)...)
		}
	default:
		return []string{prefix}
	}
	return all
}

func change(value any, path string) {
	name, rest, more := strings.Cut(path[1:], ".")
	get, set := func() any { return value.(map[string]any)[name] }, func(v any) { value.(map[string]any)[name] = v }
	if list, isList := value.([]any); isList {
		i := int(name[0] - '0')
		get, set = func() any { return list[i] }, func(v any) { list[i] = v }
	}
	if more {
		change(get(), "."+rest)
		return
	}
	if text, isText := get().(string); isText {
		set(text + "1")
		return
	}
	set(7)
}

// TestWhatTheSignatureCannotTell documents the weakness of the contexts, and that
// Interchangeable names it.
func TestWhatTheSignatureCannotTell(t *testing.T) {
	t.Parallel()
	members := signed(t)
	dose := members["evidence"].([]any)[0].(map[string]any)
	dose["dose"], dose["totalDoses"] = dose["totalDoses"], dose["dose"]
	dose["batch"], dose["vaccine"] = dose["vaccine"], dose["batch"]
	m := decode(t, members)
	if err := m.Verify(&specimenKey().PublicKey); err != nil {
		t.Errorf("the swap is noticed now; tell the callers of Interchangeable: %v", err)
	}
	var got []string
	for _, list := range m.Interchangeable() {
		got = append(got, strings.Join(list, " "))
	}
	want := []string{
		"evidence[0].date evidence[0].effectiveStart evidence[0].effectiveUntil",
		"evidence[0].dose evidence[0].totalDoses",
		"evidence[0].batch evidence[0].certificateId evidence[0].icd11Code evidence[0].manufacturer evidence[0].vaccine",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	type tampering = func(credential, subject, event, proof map[string]any)
	for name, tc := range map[string]struct {
		change tampering
		want   Reason
	}{
		"context": {func(c, _, _, _ map[string]any) { c["@context"].([]any)[1] = "https://example.org/" }, ReasonUnsupportedContext},
		"more contexts": {func(c, _, _, _ map[string]any) {
			c["@context"] = append(c["@context"].([]any), map[string]any{"dose": nil})
		}, ReasonUnsupportedContext},
		"context inside":     {func(_, s, _, _ map[string]any) { s["@context"] = map[string]any{"name": nil} }, ReasonNotCovered},
		"unknown member":     {func(_, s, _, _ map[string]any) { s["vip"] = "yes" }, ReasonNotCovered},
		"keyword":            {func(_, s, _, _ map[string]any) { s["name"] = map[string]any{"@value": "x"} }, ReasonNotCovered},
		"list":               {func(_, s, _, _ map[string]any) { s["name"] = []any{"x", "y"} }, ReasonNotCovered},
		"another type":       {func(c, _, _, _ map[string]any) { c["type"] = []any{"VerifiableCredential"} }, ReasonNotCovered},
		"no id":              {func(_, _, e, _ map[string]any) { delete(e, "id") }, ReasonNotCovered},
		"blank id":           {func(_, _, e, _ map[string]any) { e["id"] = "_:b0" }, ReasonNotCovered},
		"relative id":        {func(_, s, _, _ map[string]any) { s["id"] = "19882120590" }, ReasonNotCovered},
		"id with space":      {func(_, s, _, _ map[string]any) { s["id"] = "did:x: y" }, ReasonNotCovered},
		"two of one id":      {func(c, _, e, _ map[string]any) { c["evidence"] = []any{e, e} }, ReasonNotCovered},
		"id of another node": {func(_, s, e, _ map[string]any) { s["id"] = e["id"] }, ReasonNotCovered},
		"id where unknown":   {func(_, _, e, _ map[string]any) { e["verifier"].(map[string]any)["id"] = "did:x:y" }, ReasonNotCovered},
		"no evidence":        {func(c, _, _, _ map[string]any) { delete(c, "evidence") }, ReasonNotCovered},
		"no person":          {func(c, _, _, _ map[string]any) { c["credentialSubject"] = nil }, ReasonNotCovered},
		"many events":        {func(c, _, e, _ map[string]any) { c["evidence"] = slices.Repeat([]any{e}, 9) }, ReasonNotCovered},
		"half a number":      {func(_, _, e, _ map[string]any) { e["dose"] = 1.5 }, ReasonNotCovered},
		"a large number":     {func(_, _, e, _ map[string]any) { e["dose"] = 1e300 }, ReasonNotCovered},
		"a person removed":   {func(_, s, _, _ map[string]any) { s["name"] = nil }, ReasonBadSignature},
		"a member removed":   {func(_, _, e, _ map[string]any) { delete(e, "verifier") }, ReasonBadSignature},
		"a member added":     {func(_, _, e, _ map[string]any) { e["result"] = "Negative" }, ReasonBadSignature},
		"number as text":     {func(_, _, e, _ map[string]any) { e["dose"] = "1" }, ReasonBadSignature},
		"suite":              {func(_, _, _, p map[string]any) { p["type"] = "BbsBlsSignature2020" }, ReasonUnsupportedProof},
		"other suite":        {func(_, _, _, p map[string]any) { p["type"] = proofEd25519 }, ReasonUnsupportedProof},
		"purpose":            {func(_, _, _, p map[string]any) { p["proofPurpose"] = "authentication" }, ReasonNotCovered},
		"no purpose":         {func(_, _, _, p map[string]any) { delete(p, "proofPurpose") }, ReasonInvalidProof},
		"purpose in full":    {func(_, _, _, p map[string]any) { p["proofPurpose"] = nsSecurity + "assertionMethod" }, ReasonInvalidProof},
		"method":             {func(_, _, _, p map[string]any) { p["verificationMethod"] = "did:india" }, ReasonBadSignature},
		"relative method":    {func(_, _, _, p map[string]any) { p["verificationMethod"] = "india" }, ReasonNotCovered},
		"more options":       {func(_, _, _, p map[string]any) { p["nonce"] = "x" }, ReasonNotCovered},
		"no created":         {func(_, _, _, p map[string]any) { delete(p, "created") }, ReasonInvalidProof},
		"no jws":             {func(_, _, _, p map[string]any) { delete(p, "jws") }, ReasonInvalidProof},
		"a long jws":         {func(_, _, _, p map[string]any) { p["jws"] = strings.Repeat("A", 3000) }, ReasonInvalidProof},
		"payload":            {func(_, _, _, p map[string]any) { p["jws"] = "AAAA.AAAA.AAAA" }, ReasonInvalidProof},
		"no header":          {func(_, _, _, p map[string]any) { p["jws"] = "..AAAA" }, ReasonInvalidProof},
		"header of none":     {withHeader(`{"alg":"none","b64":false,"crit":["b64"]}`), ReasonUnsupportedProof},
		"header of EdDSA":    {withHeader(`{"alg":"EdDSA","b64":false,"crit":["b64"]}`), ReasonUnsupportedProof},
		"encoded payload":    {withHeader(`{"alg":"PS256","b64":true,"crit":["b64"]}`), ReasonInvalidProof},
		"no b64":             {withHeader(`{"alg":"PS256","crit":["b64"]}`), ReasonInvalidProof},
		"not critical":       {withHeader(`{"alg":"PS256","b64":false}`), ReasonInvalidProof},
		"more critical":      {withHeader(`{"alg":"PS256","b64":false,"crit":["b64","exp"]}`), ReasonInvalidProof},
		"more in header":     {withHeader(`{"alg":"PS256","b64":false,"crit":["b64"],"kid":"1"}`), ReasonInvalidProof},
		"twice in header":    {withHeader(`{"alg":"none","alg":"PS256","b64":false,"crit":["b64"]}`), ReasonInvalidProof},
		"other header":       {withHeader(`{"alg":"RS256","b64":false,"crit":["b64"]}`), ReasonBadSignature},
		"signature":          {func(_, _, _, p map[string]any) { p["jws"] = p["jws"].(string)[:70] + "AAAA" }, ReasonBadSignature},
		"signature encoding": {func(_, _, _, p map[string]any) { p["jws"] = p["jws"].(string) + "=" }, ReasonInvalidProof},
	} {
		c := signed(t)
		tc.change(c, c["credentialSubject"].(map[string]any), c["evidence"].([]any)[0].(map[string]any), c["proof"].(map[string]any))
		wantReason(t, name, decode(t, c).Verify(&specimenKey().PublicKey), tc.want)
	}
}

func withHeader(header string) func(_, _, _, proof map[string]any) {
	return func(_, _, _, proof map[string]any) {
		_, signature, _ := strings.Cut(proof["jws"].(string), "..")
		proof["jws"] = base64URL(header) + ".." + signature
	}
}
