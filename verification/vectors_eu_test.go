package verification_test

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/vectors"
	"github.com/trustedparty/ddcc-gateway/verification"
)

type euVector struct {
	Prefix string `json:"PREFIX"`
	Test   struct {
		Certificate string `json:"CERTIFICATE"`
		Clock       string `json:"VALIDATIONCLOCK"`
	} `json:"TESTCTX"`
	Expected map[string]any `json:"EXPECTEDRESULTS"`
}

// verify checks the vector at its own clock, which is written in several ways.
func (e euVector) verify(t testing.TB) verification.Result {
	t.Helper()
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05"} {
		if clock, err := time.Parse(layout, e.Test.Clock); err == nil {
			v := verification.Verifier{List: directList(t, e.Test.Certificate), Clock: func() time.Time { return clock }}
			return v.VerifyText(e.Prefix)
		}
	}
	t.Fatalf("clock %q", e.Test.Clock)
	return verification.Result{}
}

// The common cases of the EU test data, each with the step that fails. CO20 is meant to
// be valid, but its algorithm stands in the unprotected header alone, where anybody could
// change it; Q1 is about an image, its text is genuine.
func TestEUCommonVectors(t *testing.T) {
	t.Parallel()
	want := map[string]verification.Reason{
		"B1": verification.ReasonInvalidBase45, "Z1": verification.ReasonInvalidCompression, "Z2": verification.ReasonInvalidCompression,
		"H1": verification.ReasonNotHCERT, "H2": verification.ReasonUnsupportedContext, "H3": verification.ReasonNotHCERT,
		"CBO1": verification.ReasonInvalidClaims, "CBO2": verification.ReasonInvalidCOSE, "CO5": verification.ReasonBadSignature,
		"CO6": verification.ReasonUsageMismatch, "CO7": verification.ReasonUsageMismatch, "CO8": verification.ReasonUsageMismatch,
		"CO9": verification.ReasonUsageMismatch, "CO10": verification.ReasonUsageMismatch, "CO11": verification.ReasonUsageMismatch,
		"CO16": verification.ReasonNotYetValid, "CO17": verification.ReasonExpired,
		"CO20": verification.ReasonUnsupportedAlgorithm, "CO22": verification.ReasonUnsupportedAlgorithm, "CO23": verification.ReasonUnsupportedAlgorithm,
		"DGC1": verification.ReasonInvalidPayload, "DGC2": verification.ReasonInvalidPayload,
	}
	for _, name := range []string{"CO1", "CO2", "CO3", "CO12", "CO13", "CO14", "CO15", "CO18", "CO19", "CO21", "CO28", "DGC3", "DGC4", "DGC5", "DGC6", "Q1"} {
		want[name] = verification.ReasonVerified
	}
	files, err := filepath.Glob(filepath.Join(vectors.Path(t, "eu-dgc-testdata", "common"), "2DCode", "raw", "*.json"))
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files, %d expectations, %v", len(files), len(want), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		var vector euVector
		readVector(t, file, &vector)
		result := vector.verify(t)
		if result.Reason != want[name] || result.Valid != (want[name] == verification.ReasonVerified) {
			t.Errorf("%s: %s (%s), want %s", name, result.Reason, result.Detail, want[name])
		}
		if result.Valid && result.Profile != verification.ProfileEUDCC {
			t.Errorf("%s: profile %s", name, result.Profile)
		}
	}
}

// stateOutcome is what a file of a state gives unless it simply verifies.
type stateOutcome struct {
	reason verification.Reason
	rule   string // of the content, where that is why
	why    string
}

func broken(rule, why string) stateOutcome {
	return stateOutcome{verification.ReasonInvalidPayload, rule, why}
}

const (
	early   = "its clock is earlier than its iat"
	older   = "older than schema 1.3"
	noWorth = "the data call it invalid"
	unknown = "the data call a code of it invalid; value sets grow, and valid files have such codes, too: a warning"
)

// stateOutcomes are by the beginning of the file name, without its constant folders.
var stateOutcomes = map[string]stateOutcome{
	"BG/4.json":                {verification.ReasonKeyNotYetValid, "", "issued before the begin of its DSC"},
	"ES/2102.json":             {verification.ReasonNotYetValid, "", early},
	"ES/401.json":              {verification.ReasonUnknownKey, "", "P-384 with ES256: no list takes the key"},
	"ES/402.json":              {verification.ReasonUnknownKey, "", "P-384 with ES256"},
	"FR/recovery_ok":           {verification.ReasonNotYetValid, "", early},
	"FR/test_pcr_ok":           {verification.ReasonNotYetValid, "", early},
	"FR/vaccin_ok":             {verification.ReasonNotYetValid, "", early},
	"HU/1.json":                {verification.ReasonOutlivesKey, "", "exp is after the end of its DSC"},
	"HU/2.json":                {verification.ReasonOutlivesKey, "", "exp is after the end of its DSC"},
	"HU/4.json":                {verification.ReasonOutlivesKey, "", "exp is after the end of its DSC"},
	"IS/3.json":                {verification.ReasonUsageMismatch, "", noWorth},
	"LI/4.json":                {verification.ReasonUsageMismatch, "", "a test, by a DSC for vaccinations"},
	"LU/INCERT_R_DCC_Recovery": {verification.ReasonNotYetValid, "", early},
	"NL/277-NL-test+wrong_key": {verification.ReasonUsageMismatch, "", noWorth},
	"NL/278-NL-test+wrong_key": {verification.ReasonUsageMismatch, "", noWorth + ", for two reasons: the key comes before the content"},
	"PL/1.0.0/10.json":         {verification.ReasonExpired, "", noWorth},
	"PL/1.0.0/6.json":          {verification.ReasonUnknownKey, "", noWorth + ": the key id is another's"},
	"PL/1.2.1/10.json":         {verification.ReasonExpired, "", noWorth},
	"PL/1.3.0/10.json":         {verification.ReasonExpired, "", noWorth},
	"SG/4.json":                {verification.ReasonNotYetValid, "", early},
	"BG/1.json":                broken("dcc-schema-pattern", older+": times where dates belong"),
	"NL/059-NL-test.json":      broken("dcc-schema-pattern", older+": no country"),
	"NL/073-NL-vaccination":    broken("dcc-schema-pattern", older+": no country"),
	"NL/201-NL-recovery.json":  broken("dcc-schema-pattern", older+": no country"),
	"SK/3.json":                broken("dcc-schema-items", older+": two vaccinations"),
	"NL/062-NL-test.json":      broken("dcc-schema-pattern", noWorth+": born before 1900"),
	"NL/206-NL-recovery.json":  broken("dcc-schema-pattern", noWorth+": born before 1900"),
	"NL/215-NL-recovery.json":  broken("dcc-schema-pattern", noWorth+": no country"),
	"NL/135-NL-vaccination":    broken("dcc-birth-date", noWorth+": born after the event"),
	"NL/207-NL-recovery.json":  broken("dcc-birth-date", noWorth+": born after the event"),
	"NL/208-NL-recovery.json":  broken("dcc-standard-name", noWorth+": a name of pictures"),
	"NL/209-NL-recovery.json":  broken("dcc-standard-name", noWorth+": a name of pictures"),
	"PL/1.0.0/8.json":          {verification.ReasonVerified, verification.WarningContent, unknown},
	"PL/1.3.0/7.json":          {verification.ReasonVerified, verification.WarningContent, unknown},
	"PL/1.3.0/9.json":          {verification.ReasonVerified, verification.WarningContent, unknown},
}

// The certificates of the states: each verifies, or deviates as in the table, and every file
// that the data call wrong is in it.
func TestEUStateVectors(t *testing.T) {
	t.Parallel()
	root := vectors.Path(t, "eu-dgc-testdata")
	counts, used := map[verification.Reason]int{}, map[string]bool{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if err != nil || !strings.HasSuffix(name, ".json") || strings.HasPrefix(name, "common/") {
			return err
		}
		var vector euVector
		readVector(t, path, &vector)
		result := vector.verify(t)
		counts[result.Reason]++
		name = strings.NewReplacer("2DCode/raw/", "", "2DCode/Raw/", "").Replace(name)
		used[checkState(t, name, vector, result)] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		total += counts[reason]
		t.Logf("%d %s", counts[reason], reason)
	}
	if total != 140 || counts[verification.ReasonVerified] != 108 || len(used)-1 != len(stateOutcomes) {
		t.Errorf("%d files, %d verified; %d lines of the table are used", total, counts[verification.ReasonVerified], len(used)-1)
	}
}

// checkState gives the line of the table that was used; empty: none.
func checkState(t *testing.T, name string, vector euVector, result verification.Result) string {
	t.Helper()
	want, line := stateOutcome{reason: verification.ReasonVerified}, ""
	for begin, outcome := range stateOutcomes {
		if strings.HasPrefix(name, begin) {
			want, line = outcome, begin
		}
	}
	if result.Reason != want.reason || result.Valid != (want.reason == verification.ReasonVerified) {
		t.Errorf("%s: %s (%s), want %s: %s", name, result.Reason, result.Detail, want.reason, want.why)
	}
	if !strings.Contains(result.Detail+strings.Join(result.Warnings, " "), want.rule) {
		t.Errorf("%s: %s %v, want %s: %s", name, result.Detail, result.Warnings, want.rule, want.why)
	}
	for step, expected := range vector.Expected {
		if expected == false && line == "" {
			t.Errorf("%s: verified although %s is false", name, step)
		}
	}
	return line
}
