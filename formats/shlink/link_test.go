package shlink_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/formats/shlink"
)

func TestTextIsMinifiedJSON(t *testing.T) {
	t.Parallel()
	text, err := specimen().Text()
	if err != nil {
		t.Fatal(err)
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "shlink:/"))
	if err != nil {
		t.Fatal(err)
	}
	key := sha256.Sum256([]byte("specimen"))
	want := `{"url":"https://gateway.example/shl/Y9xwkUdtmN9wwoJoN3ffJIhX2UGvCL1JnlPVNL3kDWM",` +
		`"key":"` + base64.RawURLEncoding.EncodeToString(key[:]) + `","exp":1798790400,"flag":"LP",` +
		`"label":"Anna Specimen: <first> dose & “second” dose","v":1}`
	if string(body) != want {
		t.Errorf("payload %s", body)
	}
}

func TestTextRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path   string
		change func(*shlink.Link)
	}{
		"no URL":             {"url", func(l *shlink.Link) { l.URL = "" }},
		"129 characters":     {"url", func(l *shlink.Link) { l.URL = "https://h/" + strings.Repeat("a", 119) }},
		"http":               {"url", func(l *shlink.Link) { l.URL = "http://gateway.example/shl/1" }},
		"other scheme":       {"url", func(l *shlink.Link) { l.URL = "file://gateway.example/shl/1" }},
		"relative":           {"url", func(l *shlink.Link) { l.URL = "//gateway.example/shl/1" }},
		"credentials":        {"url", func(l *shlink.Link) { l.URL = "https://a:b@gateway.example/" }},
		"fragment":           {"url", func(l *shlink.Link) { l.URL = "https://gateway.example/#a" }},
		"space":              {"url", func(l *shlink.Link) { l.URL = "https://gateway.example/a b" }},
		"no key":             {"key", func(l *shlink.Link) { l.Key = [32]byte{} }},
		"P and U":            {"flag", func(l *shlink.Link) { l.Flags = shlink.Passcode | shlink.Direct }},
		"unknown flag":       {"flag", func(l *shlink.Link) { l.Flags = 8 }},
		"81 characters":      {"label", func(l *shlink.Link) { l.Label = strings.Repeat("é", 81) }},
		"invalid UTF-8":      {"label", func(l *shlink.Link) { l.Label = "\xff" }},
		"control character":  {"label", func(l *shlink.Link) { l.Label = "a\nb" }},
		"before 1970":        {"exp", func(l *shlink.Link) { l.Expires = time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"version 2":          {"v", func(l *shlink.Link) { l.Version = 2 }},
		"Verifiable Link":    {"scheme", func(l *shlink.Link) { l.Scheme = shlink.Verifiable }},
		"port of http":       {"url", func(l *shlink.Link) { l.URL = "http://127.0.0.1.example/" }},
		"control in the URL": {"url", func(l *shlink.Link) { l.URL = "https://gateway.example/\x7f" }},
	} {
		l := specimen()
		test.change(&l)
		_, err := l.Text()
		var e *shlink.Error
		if !errors.As(err, &e) || e.Path != test.path {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*shlink.Link){
		"128 characters": func(l *shlink.Link) { l.URL = "https://h/" + strings.Repeat("a", 118) },
		"80 characters":  func(l *shlink.Link) { l.Label = strings.Repeat("é", 80) },
		"loopback":       func(l *shlink.Link) { l.URL = "http://127.0.0.1:8443/shl/1" },
		"loopback 6":     func(l *shlink.Link) { l.URL = "http://[::1]:8443/shl/1" },
		"bare":           func(l *shlink.Link) { l.Flags, l.Label, l.Version, l.Expires = 0, "", 0, time.Time{} },
	} {
		l := specimen()
		change(&l)
		if _, err := l.Text(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// encode makes a text of any JSON.
func encode(scheme, body string) string {
	return scheme + ":/" + base64.RawURLEncoding.EncodeToString([]byte(body))
}

const (
	goodURL = `"url":"https://gateway.example/shl/1"`
	goodKey = `"key":"rxTgYlOaKJPFtcEd0qcceN8wEU4p94SqAwIWQe6uX7Q"`
)

func TestParseTolerates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text  string
		flags string
	}{
		"members to come":   {encode("shlink", `{`+goodURL+`,`+goodKey+`,"_x":1,"extension":{"fhirBaseUrl":"https://a.example"}}`), ""},
		"flags to come":     {encode("shlink", `{`+goodURL+`,`+goodKey+`,"flag":"ALZ"}`), "L"},
		"flags not sorted":  {encode("shlink", `{`+goodURL+`,`+goodKey+`,"flag":"PL"}`), "LP"},
		"a decimal":         {encode("shlink", `{`+goodURL+`,`+goodKey+`,"exp":1798790400.5,"v":1.0}`), ""},
		"white space":       {encode("shlink", "{\n "+goodURL+` , `+goodKey+` }`), ""},
		"Verifiable Link":   {encode("vhlink", `{"url":"https://holder.example/List?_id=abc&code=folder&status=current&patient.identifier=urn%3Aoid%3A1.2.3%7C456&_include=List:item&x=`+strings.Repeat("y", 100)+`",`+goodKey+`,"flag":"P"}`), "P"},
		"viewer and VHL":    {"https://viewer.example/app#" + encode("vhlink", `{`+goodURL+`,`+goodKey+`}`), ""},
		"URL on this host":  {encode("shlink", `{"url":"http://localhost:8090/1",`+goodKey+`}`), ""},
		"null is as absent": {encode("shlink", `{`+goodURL+`,`+goodKey+`,"exp":null,"v":null}`), ""},
	} {
		l, err := shlink.Parse(test.text)
		if err != nil || l.Flags.String() != test.flags || l.Version != 1 {
			t.Errorf("%s: %s, %v", name, l, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ path, text string }{
		"empty":             {"text", ""},
		"other scheme":      {"text", encode("shc", `{}`)},
		"upper case":        {"text", encode("SHLINK", `{`+goodURL+`,`+goodKey+`}`)},
		"no slash":          {"text", "shlink:e30"},
		"too long":          {"text", "shlink:/" + strings.Repeat("A", 9000)},
		"padded":            {"text", "shlink:/e30="},
		"standard base64":   {"text", "shlink:/+/+/"},
		"line break":        {"text", "shlink:/e3\n0"},
		"not canonical":     {"text", "shlink:/e31"},
		"no JSON":           {"text", encode("shlink", `x`)},
		"no object":         {"text", encode("shlink", `[]`)},
		"twice":             {"text", encode("shlink", `{`+goodURL+`,`+goodURL+`,`+goodKey+`}`)},
		"two values":        {"text", encode("shlink", `{}{}`)},
		"deep":              {"text", encode("shlink", strings.Repeat(`[`, 5000))},
		"URL of a number":   {"text", encode("shlink", `{"url":1,`+goodKey+`}`)},
		"no URL":            {"url", encode("shlink", `{`+goodKey+`}`)},
		"http":              {"url", encode("shlink", `{"url":"http://gateway.example/",`+goodKey+`}`)},
		"internal by name":  {"url", encode("shlink", `{"url":"http://localhost.example/",`+goodKey+`}`)},
		"javascript":        {"url", encode("shlink", `{"url":"javascript:alert(1)",`+goodKey+`}`)},
		"long URL":          {"url", encode("shlink", `{"url":"https://h/`+strings.Repeat("a", 119)+`",`+goodKey+`}`)},
		"very long VHL URL": {"url", encode("vhlink", `{"url":"https://h/`+strings.Repeat("a", 1100)+`",`+goodKey+`}`)},
		"no key":            {"key", encode("shlink", `{`+goodURL+`}`)},
		"short key":         {"key", encode("shlink", `{`+goodURL+`,"key":"AAAA"}`)},
		"key of 33 bytes":   {"key", encode("shlink", `{`+goodURL+`,"key":"`+strings.Repeat("A", 44)+`"}`)},
		"key with a break":  {"key", encode("shlink", `{`+goodURL+`,"key":"\nxTgYlOaKJPFtcEd0qcceN8wEU4p94SqAwIWQe6uX7Q"}`)},
		"P and U":           {"flag", encode("shlink", `{`+goodURL+`,`+goodKey+`,"flag":"PU"}`)},
		"milliseconds":      {"exp", encode("shlink", `{`+goodURL+`,`+goodKey+`,"exp":1798790400000}`)},
		"negative exp":      {"exp", encode("shlink", `{`+goodURL+`,`+goodKey+`,"exp":-1}`)},
		"version 0":         {"v", encode("shlink", `{`+goodURL+`,`+goodKey+`,"v":0}`)},
		"version 1.5":       {"v", encode("shlink", `{`+goodURL+`,`+goodKey+`,"v":1.5}`)},
		"long label":        {"label", encode("shlink", `{`+goodURL+`,`+goodKey+`,"label":"`+strings.Repeat("a", 81)+`"}`)},
		"http viewer":       {"viewer.url", "http://viewer.example/#" + encode("shlink", `{`+goodURL+`,`+goodKey+`}`)},
	} {
		_, err := shlink.Parse(test.text)
		var e *shlink.Error
		if !errors.As(err, &e) || e.Path != test.path {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseLaterVersion(t *testing.T) {
	t.Parallel()
	l, err := shlink.Parse(encode("shlink", `{`+goodURL+`,`+goodKey+`,"label":"Specimen","v":2}`))
	if !errors.Is(err, shlink.ErrVersion) || l.Label != "Specimen" || l.Version != 2 {
		t.Errorf("%v, %s", err, l)
	}
}

// TestNothingSecretIsPrinted: a link in a log line or an error text shows its flags alone.
func TestNothingSecretIsPrinted(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	l := specimen()
	slog.New(slog.NewTextHandler(&out, nil)).Info("a link", slog.Any("link", l), slog.Any("at", &l))
	fmt.Fprintf(&out, "%v %+v %#v %s %d %x %v", l, l, l, l, l, l, &l)
	for _, secret := range []string{l.URL, "gateway.example", "Specimen", fmt.Sprint(l.Key[0], " ", l.Key[1]), base64.RawURLEncoding.EncodeToString(l.Key[:])[:8], hex.EncodeToString(l.Key[:])[:8]} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("printed: %s", out.String())
		}
	}
}

func TestParseClaimShapes(t *testing.T) {
	t.Parallel()
	smart := encode("shlink", `{`+goodURL+`,`+goodKey+`}`)
	verifiable := encode("vhlink", `{`+goodURL+`,`+goodKey+`}`)
	later := encode("shlink", `{`+goodURL+`,`+goodKey+`,"v":2}`)
	for name, test := range map[string]struct {
		value any
		want  []shlink.Scheme
	}{
		"2026 text":       {verifiable, []shlink.Scheme{shlink.Verifiable}},
		"2025-08 texts":   {[]any{verifiable, verifiable}, []shlink.Scheme{shlink.Verifiable, shlink.Verifiable}},
		"2025-02 texts":   {[]any{smart}, []shlink.Scheme{shlink.SMART}},
		"2024 maps, CBOR": {[]any{map[any]any{"u": smart}}, []shlink.Scheme{shlink.SMART}},
		"2024 maps, JSON": {[]any{map[string]any{"u": smart}}, []shlink.Scheme{shlink.SMART}},
		"one map":         {map[any]any{"u": smart, "x": 1}, []shlink.Scheme{shlink.SMART}},
		"mixed":           {[]any{smart, map[any]any{"u": verifiable}}, []shlink.Scheme{shlink.SMART, shlink.Verifiable}},
	} {
		links, err := shlink.ParseClaim(test.value)
		if err != nil || !slices.EqualFunc(links, test.want, func(l shlink.Link, s shlink.Scheme) bool { return l.Scheme == s }) {
			t.Errorf("%s: %v, %v", name, links, err)
		}
	}
	for name, test := range map[string]struct {
		value any
		path  string
	}{
		"nothing":      {nil, "claim"},
		"a number":     {5, "claim"},
		"empty":        {[]any{}, "claim"},
		"seventeen":    {slices.Repeat([]any{smart}, 17), "claim"},
		"no member u":  {map[any]any{"url": smart}, "claim.u"},
		"nested":       {[]any{[]any{smart}}, "claim[0]"},
		"broken":       {[]any{smart, map[any]any{"u": "shlink:/"}}, "claim[1].u.text"},
		"bytes":        {[]byte(smart), "claim"},
		"other number": {map[any]any{1: smart}, "claim.u"},
	} {
		links, err := shlink.ParseClaim(test.value)
		var e *shlink.Error
		if links != nil || !errors.As(err, &e) || e.Path != test.path {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := shlink.ParseClaim([]any{smart, later}); !errors.Is(err, shlink.ErrVersion) {
		t.Errorf("a later version: %v", err)
	}
}

// TestRoundTrip: what is written is read back, and it obeys the limits.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := shlink.Link{
			Scheme:  shlink.SMART,
			URL:     "https://" + rapid.StringMatching(`[a-z]{1,20}\.example/[A-Za-z0-9_/-]{0,90}`).Draw(t, "url"),
			Key:     [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key")),
			Flags:   shlink.Flags(rapid.IntRange(0, 5).Draw(t, "flags")),
			Label:   rapid.StringMatching(`[\p{L}\p{N}<>&"'\\ ]{0,80}`).Draw(t, "label"),
			Version: 1,
		}
		if s := rapid.Int64Range(0, 253402300799).Draw(t, "exp"); s > 0 {
			l.Expires = time.Unix(s, 0).UTC()
		}
		if l.Key == [32]byte{} {
			return
		}
		text, err := l.Text()
		if err != nil {
			t.Fatal(err)
		}
		got, err := shlink.Parse("https://viewer.example#" + text)
		if err != nil || got != l {
			t.Fatal("another link comes back", err)
		}
	})
}
