package reader

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	jws := signed(t, key, specimenHeader, specimenPayload)
	for name, text := range map[string]string{
		"one code": "shc:/" + digitsOf(jws), "JWS": jws, "byte order mark and line end": "\ufeff" + jws + "\r\n", "1 of 1": "shc:/1/1/" + digitsOf(jws),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Verify(&key.PublicKey); err != nil {
				t.Error(err)
			}
			wantSpecimen(t, m)
			if problems := m.Check(); len(problems) > 0 {
				t.Errorf("problems %v", problems)
			}
			wantWarnings, wantChunks := 0, 1
			if name == "1 of 1" {
				wantWarnings = 1
			}
			if strings.Contains(text, ".") {
				wantChunks = 0
			}
			if len(m.Warnings) != wantWarnings || m.Chunks != wantChunks {
				t.Errorf("%d chunks, warnings %v", m.Chunks, m.Warnings)
			}
		})
	}
}

func wantSpecimen(t *testing.T, m *Message) {
	t.Helper()
	if m.KID != specimenKID || m.Issuer != "https://issuer.example" || m.RID != "MKyCxh7p6uQ" || string(m.Payload) != specimenPayload ||
		!m.NotBefore.Equal(time.Unix(1669976075, 0)) || m.NotBefore.Location() != time.UTC || !m.ExpiresAt.IsZero() || len(m.Signature) != 64 {
		t.Errorf("claims are %+v", m)
	}
	if diff := cmp.Diff([]string{typeHealthCard, typeImmunization, typeCOVID19}, m.Types); diff != "" {
		t.Error(diff)
	}
	if m.subject()["fhirVersion"] != "4.0.1" {
		t.Error("the content is incomplete")
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	jws := unsigned(t, specimenHeader, specimenPayload)
	parts := strings.Split(jws, ".")
	code := "shc:/" + digitsOf(jws)
	header := func(text string) string { return unsigned(t, text, specimenPayload) }
	payload := func(content []byte) string { return parts[0] + "." + b64(content) + "." + parts[2] }
	compressed := deflated(t, specimenPayload)
	for name, c := range map[string]struct {
		text string
		want Reason
	}{
		"empty":                  {"", ReasonNotSHC},
		"HCERT":                  {"HC1:6BF", ReasonNotSHC},
		"link":                   {"shlink:/eyJ", ReasonNotSHC},
		"slash missing":          {"shc:" + digitsOf(jws), ReasonNotSHC},
		"capitals":               {"SHC:/" + digitsOf(jws), ReasonNotSHC},
		"too long":               {"shc:/" + strings.Repeat("0", maxText), ReasonNotSHC},
		"space in front":         {" " + code, ReasonTrailingCharacters},
		"space behind":           {code + " ", ReasonTrailingCharacters},
		"no digits":              {"shc:/", ReasonInvalidNumeric},
		"odd":                    {code + "1", ReasonInvalidNumeric},
		"pair beyond z":          {code[:5] + "78" + code[7:], ReasonInvalidNumeric},
		"letter":                 {code + "a1", ReasonInvalidNumeric},
		"space inside":           {code[:9] + " " + code[10:], ReasonInvalidNumeric},
		"digits of another form": {"shc:/٠٠", ReasonInvalidNumeric},
		"one of two":             {"shc:/1/2/" + digitsOf(jws), ReasonInvalidChunks},
		"index 0":                {"shc:/0/1/" + digitsOf(jws), ReasonInvalidChunks},
		"index beyond total":     {"shc:/2/1/" + digitsOf(jws), ReasonInvalidChunks},
		"leading zero":           {"shc:/01/1/" + digitsOf(jws), ReasonInvalidChunks},
		"signed number":          {"shc:/+1/1/" + digitsOf(jws), ReasonInvalidChunks},
		"one number":             {"shc:/1/" + digitsOf(jws), ReasonInvalidChunks},
		"digits are no JWS":      {"shc:/0000", ReasonInvalidJWS},
		"two parts":              {parts[0] + "." + parts[1], ReasonInvalidJWS},
		"four parts":             {jws + ".AA", ReasonInvalidJWS},
		"empty signature":        {parts[0] + "." + parts[1] + ".", ReasonInvalidJWS},
		"padding":                {jws + "=", ReasonInvalidJWS},
		"line end inside":        {parts[0] + "." + parts[1] + ".\n" + parts[2], ReasonInvalidJWS},
		"stray bits":             {parts[0] + "." + parts[1] + "." + parts[2][:85] + "B", ReasonInvalidJWS},
		"standard base64":        {parts[0] + "." + parts[1] + ".+/+/", ReasonInvalidJWS},
		"header is no JSON":      {header("{"), ReasonInvalidJWS},
		"header is null":         {header("null"), ReasonInvalidJWS},
		"header is a list":       {header("[]"), ReasonInvalidJWS},
		"header repeats":         {header(`{"zip":"DEF","alg":"ES256","alg":"none","kid":"x"}`), ReasonInvalidJWS},
		"header too long":        {header(`{"a":"` + strings.Repeat("a", 4<<10) + `"}`), ReasonInvalidJWS},
		"critical extension":     {header(`{"zip":"DEF","alg":"ES256","kid":"x","crit":["b64"],"b64":false}`), ReasonInvalidJWS},
		"alg none":               {header(`{"zip":"DEF","alg":"none","kid":"x"}`), ReasonUnsupportedAlgorithm},
		"alg ES384":              {header(`{"zip":"DEF","alg":"ES384","kid":"x"}`), ReasonUnsupportedAlgorithm},
		"alg HS256":              {header(`{"zip":"DEF","alg":"HS256","kid":"x"}`), ReasonUnsupportedAlgorithm},
		"no alg":                 {header(`{"zip":"DEF","kid":"x"}`), ReasonUnsupportedAlgorithm},
		"no kid":                 {header(`{"zip":"DEF","alg":"ES256"}`), ReasonKIDMissing},
		"kid is a number":        {header(`{"zip":"DEF","alg":"ES256","kid":1}`), ReasonKIDMissing},
		"kid with a line end":    {header(`{"zip":"DEF","alg":"ES256","kid":"a\n"}`), ReasonKIDMissing},
		"kid too long":           {header(`{"zip":"DEF","alg":"ES256","kid":"` + strings.Repeat("a", 65) + `"}`), ReasonKIDMissing},
		"no zip":                 {header(`{"alg":"ES256","kid":"x"}`), ReasonInvalidCompression},
		"other zip":              {header(`{"zip":"GZ","alg":"ES256","kid":"x"}`), ReasonInvalidCompression},
		"not compressed":         {payload([]byte(specimenPayload)), ReasonInvalidCompression},
		"cut short":              {payload(compressed[:len(compressed)-5]), ReasonInvalidCompression},
		"bytes behind":           {payload(append(slices.Clone(compressed), 0)), ReasonInvalidCompression},
		"wrong gzip trailer":     {payload(append(slices.Clone(compressed), 1, 2, 3, 4, 5, 6, 7, 8)), ReasonInvalidCompression},
		"zlib":                   {payload(append([]byte{0x78, 0x9c}, compressed...)), ReasonInvalidCompression},
		"bomb":                   {unsigned(t, specimenHeader, strings.Repeat(" ", maxPayload)+"{}"), ReasonInvalidCompression},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode(c.text)
			wantReason(t, err, c.want)
			if m != nil {
				t.Error("a message beside an error")
			}
		})
	}
}

func TestDecodeClaims(t *testing.T) {
	t.Parallel()
	with := func(old, replacement string) string { return strings.Replace(specimenPayload, old, replacement, 1) }
	const nbf = `"nbf":1669976075`
	for name, c := range map[string]struct {
		payload string
		want    Reason
	}{
		"empty":               {"", ReasonInvalidJSON},
		"byte order mark":     {"\ufeff" + specimenPayload, ReasonInvalidJSON},
		"two values":          {specimenPayload + "{}", ReasonInvalidJSON},
		"repeated member":     {with(`"vc":`, `"iss":"https://other.example","vc":`), ReasonInvalidJSON},
		"repeated deep":       {with(`"code":"207"`, `"code":"207","code":"208"`), ReasonInvalidJSON},
		"repeated by escape":  {with(`"code":"207"`, `"code":"207","\u0063ode":"208"`), ReasonInvalidJSON},
		"not UTF-8":           {with("Ada", "Ad\xff"), ReasonInvalidJSON},
		"half a surrogate":    {with("Ada", `\ud800`), ReasonInvalidJSON},
		"too deep":            {with(`"207"`, strings.Repeat("[", 40)+strings.Repeat("]", 40)), ReasonInvalidJSON},
		"double encoded":      {`"` + strings.ReplaceAll(specimenPayload, `"`, `\"`) + `"`, ReasonInvalidClaims},
		"list":                {"[]", ReasonInvalidClaims},
		"null":                {"null", ReasonInvalidClaims},
		"no iss":              {with(`"iss"`, `"is"`), ReasonInvalidClaims},
		"iss is a number":     {with(`"https://issuer.example"`, `1`), ReasonInvalidClaims},
		"no nbf":              {with(nbf+",", ""), ReasonInvalidClaims},
		"nbf is text":         {with(nbf, `"nbf":"1669976075"`), ReasonInvalidClaims},
		"nbf in milliseconds": {with(nbf, `"nbf":1669976075000`), ReasonInvalidClaims},
		"nbf negative":        {with(nbf, `"nbf":-5`), ReasonInvalidClaims},
		"nbf infinite":        {with(nbf, `"nbf":1e999`), ReasonInvalidClaims},
		"exp in milliseconds": {with(nbf, nbf+`,"exp":1669976075000`), ReasonInvalidClaims},
		"exp is null":         {with(nbf, nbf+`,"exp":null`), ReasonInvalidClaims},
		"no vc":               {with(`"vc"`, `"cv"`), ReasonInvalidClaims},
		"vc is a list":        {`{"iss":"https://issuer.example",` + nbf + `,"vc":[]}`, ReasonInvalidClaims},
		"no type":             {with(`"type":["https`, `"types":["https`), ReasonInvalidClaims},
		"type holds a number": {with(`"type":["https`, `"type":[1,"https`), ReasonInvalidClaims},
		"too many types":      {with(`"type":["https`, `"type":[`+strings.Repeat(`"a",`, 32)+`"https`), ReasonInvalidClaims},
		"rid is a number":     {with(`"MKyCxh7p6uQ"`, `1`), ReasonInvalidClaims},
		"rid is empty":        {with(`"MKyCxh7p6uQ"`, `""`), ReasonInvalidClaims},
		"no bundle":           {with(`"fhirBundle"`, `"bundle"`), ReasonInvalidClaims},
		"bundle is text":      {with(specimenBundle, `"x"`), ReasonInvalidClaims},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode(unsigned(t, specimenHeader, c.payload))
			wantReason(t, err, c.want)
		})
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		members  string
		nbf, exp int64
	}{
		"fraction": {`"nbf":1622576398.924`, 1622576398, 0},
		"exponent": {`"nbf":1.622576398e9`, 1622576398, 0},
		"exp":      {`"nbf":1622576398,"exp":253402300799`, 1622576398, 253402300799},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode(unsigned(t, specimenHeader, strings.Replace(specimenPayload, `"nbf":1669976075`, c.members, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if m.NotBefore.Unix() != c.nbf || m.NotBefore.Nanosecond() != 0 || !m.ExpiresAt.IsZero() != (c.exp != 0) || c.exp != 0 && m.ExpiresAt.Unix() != c.exp {
				t.Errorf("nbf %v, exp %v", m.NotBefore, m.ExpiresAt)
			}
		})
	}
}

func TestEnvelopeWarnings(t *testing.T) {
	t.Parallel()
	long := strings.Replace(specimenPayload, "Ada", b64(random(t, 900)), 1)
	for name, c := range map[string]struct {
		jws  string
		want Rule
	}{
		"more header members": {unsigned(t, `{"zip":"DEF","alg":"ES256","kid":"x","typ":"JWT","jku":"https://evil.example"}`, specimenPayload), RuleHeaderMembers},
		"too long":            {unsigned(t, specimenHeader, long), RuleTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Decode(c.jws)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Rule{c.want}, rulesOf(m.Warnings)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func random(t *testing.T, n int) []byte {
	t.Helper()
	content := make([]byte, n)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	return content
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	m, err := Decode(signed(t, key, specimenHeader, specimenPayload))
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, unsuitable := range map[string]crypto.PublicKey{
		"nil": nil, "nil pointer": (*ecdsa.PublicKey)(nil), "empty": &ecdsa.PublicKey{}, "no point": &ecdsa.PublicKey{Curve: elliptic.P256()},
		"P-384": &p384.PublicKey, "Ed25519": edwards, "RSA": &rsa.PublicKey{N: big.NewInt(15), E: 3}, "value": key.PublicKey, "private": key,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantReason(t, m.Verify(unsuitable), ReasonUnsuitableKey)
		})
	}
	for name, change := range map[string]func(*Message){
		"another input":   func(m *Message) { m.SigningInput = append(slices.Clone(m.SigningInput), 'A') },
		"flipped bit":     func(m *Message) { m.Signature = slices.Clone(m.Signature); m.Signature[40] ^= 1 },
		"zero":            func(m *Message) { m.Signature = make([]byte, 64) },
		"all ones":        func(m *Message) { m.Signature = slices.Repeat([]byte{0xff}, 64) },
		"short":           func(m *Message) { m.Signature = m.Signature[:63] },
		"long":            func(m *Message) { m.Signature = append(slices.Clone(m.Signature), 0) },
		"DER":             func(m *Message) { m.Signature = append([]byte{0x30, 0x44, 2, 32}, m.Signature...) },
		"empty signature": func(m *Message) { m.Signature = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := *m
			change(&broken)
			wantReason(t, broken.Verify(&key.PublicKey), ReasonBadSignature)
		})
	}
	wantReason(t, m.Verify(&newKey(t).PublicKey), ReasonBadSignature)
}
