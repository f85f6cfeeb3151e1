package reader

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
)

// The verdict on one input, in our words: reasons, rules by severity, and what a verifier
// with a clock and the key set of the examples adds.
type verdict struct {
	errors, warnings []string
	decoded          bool
}

func (v *verdict) refuse(err error) {
	var refused *Error
	if !asError(err, &refused) {
		panic(err)
	}
	v.errors = append(v.errors, string(refused.Reason))
}

func (v *verdict) add(problems []Problem) {
	for _, p := range problems {
		if p.Severity == SeverityError {
			v.errors = append(v.errors, string(p.Rule))
		} else {
			v.warnings = append(v.warnings, string(p.Rule))
		}
	}
}

const noKey = "no_key"

// testClock is when the vectors were collected.
var testClock = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)

func (v *verdict) message(m *Message, err error, keys []Key) {
	if err != nil {
		v.refuse(err)
		return
	}
	v.decoded = true
	v.add(m.Warnings)
	v.add(m.Check())
	if m.NotBefore.After(testClock) {
		v.warnings = append(v.warnings, "not_yet_valid")
	}
	if !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(testClock) {
		v.warnings = append(v.warnings, "expired")
	}
	if m.SigningInput == nil {
		return // made from a payload alone
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.KID == m.KID })
	if i < 0 {
		v.errors = append(v.errors, noKey)
		return
	}
	if err := m.Verify(keys[i].Public); err != nil {
		v.refuse(err)
	}
}

// sdk maps the error codes of the framework's validator to our words for the same fault.
var sdk = map[string][]string{
	"TRAILING_CHARACTERS":       {"trailing_characters", "minified", "invalid_json"},
	"INFLATION_ERROR":           {"invalid_compression"},
	"JWS_HEADER_ERROR":          {"kid_missing", "unsupported_algorithm", "invalid_compression"},
	"JWS_VERIFICATION_ERROR":    {"bad_signature", noKey},
	"JWS_TOO_LONG":              {"jws-too-long"},
	"SIGNATURE_FORMAT_ERROR":    {"bad_signature"},
	"INVALID_ISSUER_URL":        {"iss"},
	"INVALID_NUMERIC_QR":        {"invalid_numeric", "invalid_chunks"},
	"INVALID_NUMERIC_QR_HEADER": {"not_shc", "invalid_chunks", "single-header"},
	"QR_CHUNKING_DEPRECATED":    {"chunks-deprecated"},
	"INVALID_QR":                {"chunks-unnecessary"},
	"UNBALANCED_QR_CHUNKS":      {"chunks-unbalanced"},
	"NOT_YET_VALID":             {"not_yet_valid", "invalid_claims"},
	"EXPIRATION_ERROR":          {"exp", "expired"},
	"SCHEMA_ERROR":              {"type", "data-minimisation", "meta", "full-url", "reference"},
	"FHIR_SCHEMA_ERROR":         {"meta", "empty", "coding", "status", "occurrence", "date", "patient"},
}

func TestValidatorCases(t *testing.T) {
	t.Parallel()
	keys := exampleKeys(t)
	for _, c := range sdkCases {
		t.Run(c.files[0], func(t *testing.T) {
			t.Parallel()
			got := judge(t, c, keys)
			if got.decoded || c.ours != "" {
				wantWords(t, "errors", got.errors, c.errors, c.ours)
				wantWords(t, "warnings", got.warnings, c.warnings, c.ours)
				return
			}
			// Reading stops at the first fault: it must be one of those the validator sees.
			if !slices.ContainsFunc(c.errors, func(class string) bool { return slices.Contains(sdk[class], got.errors[0]) }) {
				t.Errorf("refused for %q, want one of %q", got.errors, c.errors)
			}
		})
	}
}

// wantWords compares ours with the validator's: none where it sees none, and no fewer
// where it sees some, each of a kind that stands for one of its codes.
func wantWords(t *testing.T, label string, got, want []string, ours string) {
	t.Helper()
	if len(got) < len(want) || len(want) == 0 && len(got) > 0 {
		t.Errorf("%s are %q, want %q", label, got, want)
		return
	}
	for _, class := range want {
		words := sdk[class]
		if ours != "" && words == nil {
			words = []string{class}
		}
		if !slices.ContainsFunc(got, func(word string) bool { return slices.Contains(words, word) }) {
			t.Errorf("%s are %q, want one of %q for %s", label, got, words, class)
		}
	}
}

func judge(t *testing.T, c sdkCase, keys []Key) *verdict {
	t.Helper()
	texts := make([]string, len(c.files))
	for i, file := range c.files {
		texts[i] = string(vectors.Read(t, "shc", "validation-sdk", file))
	}
	v := &verdict{}
	switch c.kind {
	case "text":
		m, err := Decode(texts[0])
		v.message(m, err, keys)
	case "chunks":
		m, err := DecodeChunks(texts)
		v.message(m, err, keys)
	case "file":
		cards, err := File([]byte(texts[0]))
		if err != nil {
			v.refuse(err)
		}
		for _, card := range cards {
			m, err := Decode(card)
			v.message(m, err, keys)
		}
	case "payload":
		m := &Message{Payload: []byte(texts[0]), KID: strings.Repeat("k", kidLength)}
		err := m.setPayload()
		v.message(m, err, nil)
		v.ignoreExpanded()
	case "bundle":
		m := &Message{Payload: []byte(wrapBundle(texts[0])), KID: strings.Repeat("k", kidLength)}
		if strings.TrimSpace(texts[0]) != texts[0] {
			m.Payload = []byte(texts[0])
			c := &checker{}
			c.checkMinified(m.Payload)
			v.add(c.problems)
		} else {
			err := m.setPayload()
			v.message(m, err, nil)
		}
		v.ignoreExpanded()
	}
	return v
}

// ignoreExpanded drops the warning that a payload is not minified, which the vectors of
// expanded payloads and bundles are on purpose.
func (v *verdict) ignoreExpanded() {
	v.warnings = slices.DeleteFunc(v.warnings, func(word string) bool { return word == string(RuleMinified) })
}

func wrapBundle(bundle string) string {
	return `{"iss":"https://issuer.example","nbf":1622690247,"vc":{"type":["` + typeHealthCard + `","` + typeImmunization + `","` + typeCOVID19 +
		`"],"credentialSubject":{"fhirVersion":"4.0.1","fhirBundle":` + bundle + `}}}`
}

// Every file that EXPECTED.tsv names is run or has a reason why not.
func TestValidatorCoverage(t *testing.T) {
	t.Parallel()
	expected := string(vectors.Read(t, "shc", "validation-sdk", "EXPECTED.tsv"))
	run := map[string]bool{}
	for _, c := range sdkCases {
		for _, file := range c.files {
			run[file] = true
		}
	}
	for name := range keyCases {
		run[name] = true
	}
	names := regexp.MustCompile(`(badcrl/[\w.-]+/)?[\w.-]+\.(txt|json|png|smart-health-card|wrong-extension)`).FindAllString(expected, -1)
	slices.Sort(names)
	names = slices.Compact(names)
	covered, excused := 0, 0
	for _, name := range names {
		switch {
		case run[name]:
			covered++
		case excuse(name):
			excused++
		default:
			t.Errorf("%s is neither run nor excused", name)
		}
	}
	t.Logf("%d of the %d files named in EXPECTED.tsv are run, %d are out of scope", covered, len(names), excused)
}

func excuse(name string) bool {
	for part, reason := range outOfScope {
		if strings.Contains(name, part) && reason != "" {
			return true
		}
	}
	return false
}

func exampleKeys(t testing.TB) []Key {
	t.Helper()
	keys, problems := CheckKeys(vectors.Read(t, "shc", "spec-issuer", "jwks.json"))
	if len(problems) > 0 || len(keys) != 2 {
		t.Fatalf("%d keys, problems %v", len(keys), problems)
	}
	return keys
}

// The example texts of the framework verify.
func TestExampleTexts(t *testing.T) {
	t.Parallel()
	keys := exampleKeys(t)
	for _, path := range [][]string{{"shc", "SHCQR1Contents.spec-example.txt"}, {"ddcc", "validator", "SHCQR1Contents.txt"}} {
		m, err := Decode(string(vectors.Read(t, path...)))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Verify(keys[0].Public); err != nil || m.KID != keys[0].KID {
			t.Errorf("%s does not verify: %v", filepath.Join(path...), err)
		}
		if err := m.Verify(keys[1].Public); err == nil {
			t.Error("verifies under another key")
		}
		if problems := m.Check(); m.Issuer != "https://spec.smarthealth.cards/examples/issuer" || len(problems) > 0 || len(m.Warnings) > 0 || m.Chunks != 1 {
			t.Errorf("issuer or form: %v %v", problems, m.Warnings)
		}
		if unpacked := strings.TrimSpace(string(vectors.Read(t, "ddcc", "validator", "SHCQR1Unpacked.txt"))); !strings.HasPrefix(unpacked, string(m.SigningInput)) {
			t.Error("the signing input differs from the published JWS")
		}
	}
}

func TestCardOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	m, err := Decode(string(vectors.Read(t, "ddcc", "validator", "SHCSenegalContents.txt")))
	if err != nil {
		t.Fatal(err)
	}
	if problems := m.Check(); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
	if len(m.Warnings) != 1 || m.Warnings[0].Rule != RuleTrailer {
		t.Errorf("its compressed payload ends with a gzip trailer; warnings are %v", m.Warnings)
	}
	if m.Verify(exampleKeys(t)[0].Public) == nil {
		t.Error("verifies under a key of somebody else")
	}
}

// The card verifies under the key it names: only a trust list knows that the key is not
// its issuer's.
func TestKeyOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	keys, problems := CheckKeys(vectors.Read(t, "shc", "validation-sdk", "issuer.jwks.public.not.smart.json"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m, err := Decode(string(vectors.Read(t, "shc", "validation-sdk", "test-example-00-d-jws-issuer-kid-mismatch.txt")))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Verify(keys[0].Public); err != nil || m.KID != keys[0].KID {
		t.Errorf("got %v", err)
	}
}
