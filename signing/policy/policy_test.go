package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/signing/keystore"
	"github.com/trustedparty/ddcc-gateway/signing/policy"
)

var checks = policy.Checks{
	Kind: func(profile string) (policy.Kind, bool) {
		kind, ok := map[string]policy.Kind{
			"who-ddcc-vs": {Usage: keystore.UsageVaccination, SubClaim: 3},
			"who-ddcc-tr": {Usage: keystore.UsageTest, SubClaim: 4},
			"eu-dcc-v":    {Usage: keystore.UsageVaccination, SubClaim: 1},
			"eu-dcc-r":    {Usage: keystore.UsageRecovery, SubClaim: 1},
			"who-icvp":    {Usage: keystore.UsageVaccination, SubClaim: -6, Lifelong: true},
			"icao-vacc":   {Usage: keystore.UsageVDSNC},
		}[profile]
		return kind, ok
	},
	Lint: func(id string) bool { return id == "minimal" || id == "size" },
}

const good = `{
  "country": "XX",
  "callers": ["urn:x:gateway"],
  "operators": ["urn:x:operator-1", "urn:x:operator-2"],
  "profiles": [
    {"name": "who-ddcc-vs", "usage": "vaccination", "subClaim": 3, "maxValidity": "8760h"},
    {"name": "who-ddcc-tr", "usage": "test", "subClaim": 4, "callers": ["urn:x:laboratories"], "maxValidity": "72h", "ignoredLints": ["minimal"]}
  ],
  "issuers": [
    {"id": "clinic", "profiles": ["who-ddcc-vs"], "rate": 50, "burst": 200, "maxValidity": "4380h"},
    {"id": "laboratory", "profiles": ["who-ddcc-tr", "who-ddcc-vs"], "rate": 0.5, "burst": 1, "maxValidity": "4380h"}
  ],
  "defaultIssuer": {"profiles": ["who-ddcc-vs"], "rate": 1, "burst": 5, "most": 100}
}`

// with gives the good policy with one text replaced; the text must be there.
func with(t testing.TB, old, replacement string) string {
	t.Helper()
	if strings.Count(good, old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(good, old))
	}
	return strings.Replace(good, old, replacement, 1)
}

// more gives the good policy with more profiles and the code of the state.
func more(t testing.TB, profiles, state string) string {
	t.Helper()
	text := with(t, `"ignoredLints": ["minimal"]}`, `"ignoredLints": ["minimal"]}, `+profiles)
	return strings.Replace(text, `"country": "XX",`, `"country": "XX", "icaoState": `+state+`,`, 1)
}

func problems(t testing.TB, err error) []string {
	t.Helper()
	var all *policy.Error
	if !errors.As(err, &all) {
		t.Fatalf("error %v is no *policy.Error", err)
	}
	paths := make([]string, len(all.Problems))
	for i, p := range all.Problems {
		paths[i] = p.Path
		if p.Text == "" || !strings.Contains(err.Error(), p.String()) {
			t.Errorf("problem %q has no text or is not in %q", p.Path, err)
		}
	}
	return paths
}

func TestGoodPolicyIsRead(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse([]byte(good), checks)
	if err != nil {
		t.Fatal(err)
	}
	if p.Profiles[0].Usage != keystore.UsageVaccination || p.Issuers[1].Rate != 0.5 || p.DefaultIssuer.Most != 100 {
		t.Errorf("read as %+v", p)
	}
	written, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := policy.Parse(written, checks)
	if err != nil || fmt.Sprint(again.Profiles, again.Issuers, *again.DefaultIssuer) != fmt.Sprint(p.Profiles, p.Issuers, *p.DefaultIssuer) {
		t.Errorf("written and read again: %v\n%+v\n%+v", err, p, again)
	}
}

func TestEveryProblemIsNamedByItsPath(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string // paths, sorted
	}{
		"empty object":                             {`{}`, []string{"country", "issuers", "operators", "profiles"}},
		"not an object":                            {`[]`, []string{""}},
		"issuer no object":                         {with(t, `"issuers": [`, `"issuers": ["clinic",`), []string{"issuers[0]"}},
		"unknown member":                           {with(t, `"country"`, `"colour": 1, "country"`), []string{"colour"}},
		"unknown inner member":                     {with(t, `"burst": 200`, `"burst": 200, "bust": 2`), []string{"issuers[0].bust"}},
		"case counts":                              {with(t, `"country"`, `"Country"`), []string{"Country", "country"}},
		"country":                                  {with(t, `"XX"`, `"xx"`), []string{"country"}},
		"null":                                     {with(t, `["urn:x:gateway"]`, `null`), []string{"callers", "profiles[0].callers"}},
		"nobody may call":                          {with(t, `"callers": ["urn:x:gateway"],`, ``), []string{"profiles[0].callers"}},
		"empty callers":                            {with(t, `["urn:x:laboratories"]`, `[]`), []string{"profiles[1].callers"}},
		"nameless caller":                          {with(t, `"urn:x:laboratories"`, `""`), []string{"profiles[1].callers[0]"}},
		"caller with a line feed":                  {with(t, `"urn:x:laboratories"`, `"a\nb"`), []string{"profiles[1].callers[0]"}},
		"caller twice":                             {with(t, `["urn:x:gateway"]`, `["urn:x:gateway", "urn:x:gateway"]`), []string{"callers[1]"}},
		"caller in two spellings":                  {with(t, `"urn:x:laboratories"`, `"urn:x:Gateway"`), []string{"profiles[1].callers[0]"}},
		"caller of two lists":                      {with(t, `"urn:x:laboratories"`, `"urn:x:laboratories", "urn:x:gateway"`), []string{}},
		"operator in capitals":                     {with(t, `"urn:x:operator-2"`, `"urn:x:OPERATOR-1"`), []string{"operators", "operators[1]"}},
		"caller in capitals":                       {with(t, `"urn:x:operator-2"`, `"urn:x:GATEWAY"`), []string{"operators[1]"}},
		"operator with nothing":                    {with(t, `"urn:x:operator-2"`, `"urn:x:operator-1\u200b"`), []string{"operators[1]"}},
		"operator in Cyrillic":                     {with(t, `"urn:x:operator-2"`, `"urn:x:\u043eperator-1"`), []string{"operators[1]"}},
		"operator with a delete":                   {with(t, `"urn:x:operator-2"`, `"urn:x:operator-1\u007f"`), []string{"operators[1]"}},
		"operator with a space":                    {with(t, `"urn:x:operator-2"`, `"urn:x:operator-1 "`), []string{"operators[1]"}},
		"one operator":                             {with(t, `, "urn:x:operator-2"`, ``), []string{"operators"}},
		"one operator, twice":                      {with(t, `"urn:x:operator-2"`, `"urn:x:operator-1"`), []string{"operators", "operators[1]"}},
		"operator calls":                           {with(t, `"urn:x:operator-2"`, `"urn:x:gateway"`), []string{"operators[1]"}},
		"operator calls for one":                   {with(t, `"urn:x:operator-2"`, `"urn:x:laboratories"`), []string{"operators[1]"}},
		"unknown profile name":                     {with(t, `"name": "who-ddcc-tr"`, `"name": "eu-dcc-x"`), []string{"issuers[1].profiles[0]", "profiles[1].name"}},
		"profile twice":                            {with(t, `"name": "who-ddcc-tr"`, `"name": "who-ddcc-vs"`), []string{"issuers[1].profiles[0]", "profiles[1].name", "profiles[1].subClaim", "profiles[1].usage"}},
		"usage of documents":                       {with(t, `"vaccination"`, `"document"`), []string{"profiles[0].usage"}},
		"usage of the trust list":                  {with(t, `"vaccination"`, `"trustlist"`), []string{"profiles[0].usage"}},
		"usage of another kind":                    {with(t, `"usage": "vaccination"`, `"usage": "test"`), []string{"profiles[0].usage"}},
		"unknown usage":                            {with(t, `"vaccination"`, `"Vaccination"`), []string{"profiles[0].usage"}},
		"no HCERT with a place":                    {more(t, `{"name": "icao-vacc", "usage": "vdsnc", "subClaim": 3, "maxValidity": "72h"}`, `"UTO"`), []string{"profiles[2].subClaim"}},
		"place of another kind":                    {more(t, `{"name": "who-icvp", "usage": "vaccination", "subClaim": 6, "maxValidity": "72h"}`, `"UTO"`), []string{"profiles[2].subClaim"}},
		"HCERT without a place":                    {more(t, `{"name": "who-icvp", "usage": "vaccination", "maxValidity": "72h"}`, `"UTO"`), []string{"profiles[2].subClaim"}},
		"one place for one format":                 {more(t, `{"name": "eu-dcc-v", "usage": "vaccination", "subClaim": 1, "maxValidity": "72h"}, {"name": "eu-dcc-r", "usage": "recovery", "subClaim": 1, "maxValidity": "72h"}`, `"UTO"`), []string{}},
		"for life":                                 {more(t, `{"name": "who-icvp", "usage": "vaccination", "subClaim": -6, "maxValidity": "72h", "lifelong": true}`, `"UTO"`), []string{}},
		"for life, perhaps":                        {more(t, `{"name": "who-icvp", "usage": "vaccination", "subClaim": -6, "maxValidity": "72h", "lifelong": 1}`, `"UTO"`), []string{"profiles[2].lifelong"}},
		"DDCC for life":                            {with(t, `"maxValidity": "72h",`, `"maxValidity": "72h", "lifelong": true,`), []string{"profiles[1].lifelong"}},
		"seal of a state":                          {more(t, `{"name": "icao-vacc", "usage": "vdsnc", "maxValidity": "72h"}`, `"UTO"`), []string{}},
		"seal of Germany":                          {more(t, `{"name": "icao-vacc", "usage": "vdsnc", "maxValidity": "72h"}`, `"D"`), []string{}},
		"seal of no state":                         {more(t, `{"name": "icao-vacc", "usage": "vdsnc", "maxValidity": "72h"}`, `""`), []string{"icaoState"}},
		"seal of a country":                        {more(t, `{"name": "icao-vacc", "usage": "vdsnc", "maxValidity": "72h"}`, `"UT"`), []string{"icaoState"}},
		"shared place":                             {with(t, `"subClaim": 4`, `"subClaim": 3`), []string{"profiles[1].subClaim"}},
		"no place":                                 {with(t, `"subClaim": 4`, `"subClaim": 0`), []string{"profiles[1].subClaim"}},
		"place and a half":                         {with(t, `"subClaim": 4`, `"subClaim": 4.5`), []string{"profiles[1].subClaim"}},
		"validity without unit":                    {with(t, `"72h"`, `72`), []string{"profiles[1].maxValidity"}},
		"validity too short":                       {with(t, `"72h"`, `"72m59s500ms"`), []string{"profiles[1].maxValidity"}},
		"validity too long":                        {with(t, `"72h"`, `"87601h"`), []string{"profiles[1].maxValidity"}},
		"no validity":                              {with(t, `200, "maxValidity": "4380h"`, `200, "maxValidity": "0s"`), []string{"issuers[0].maxValidity"}},
		"unknown lint":                             {with(t, `["minimal"]`, `["minimal", "maximal"]`), []string{"profiles[1].ignoredLints[1]"}},
		"issuer twice":                             {with(t, `"id": "laboratory"`, `"id": "clinic"`), []string{"issuers[1].id"}},
		"issuer id":                                {with(t, `"id": "laboratory"`, `"id": "a laboratory"`), []string{"issuers[1].id"}},
		"issuer of nothing":                        {with(t, `"id": "clinic", "profiles": ["who-ddcc-vs"]`, `"id": "clinic", "profiles": []`), []string{"issuers[0].profiles"}},
		"no rate":                                  {with(t, `"rate": 50, `, ``), []string{"issuers[0].rate"}},
		"rate of nothing":                          {with(t, `"rate": 50`, `"rate": 0`), []string{"issuers[0].rate"}},
		"infinite rate":                            {with(t, `"rate": 50`, `"rate": 1e300`), []string{"issuers[0].rate"}},
		"rate beyond numbers":                      {with(t, `"rate": 50`, `"rate": 1e999`), []string{"issuers[0].rate"}},
		"burst below one":                          {with(t, `"burst": 200`, `"burst": 0`), []string{"issuers[0].burst"}},
		"burst beyond int":                         {with(t, `"burst": 200`, `"burst": 99999999999999`), []string{"issuers[0].burst"}},
		"others without bound":                     {with(t, `, "most": 100`, ``), []string{"defaultIssuer.most"}},
		"two at once":                              {strings.Replace(with(t, `"rate": 50`, `"rate": "50"`), `"XX"`, `"xx"`, 1), []string{"country", "issuers[0].rate"}},
		"broken profiles are not missed elsewhere": {with(t, `"name": "who-ddcc-tr"`, `"name": 4`), []string{"profiles[1].name"}},
		"unspeakable member":                       {with(t, `"country"`, `"a\u0000b": 1, "country"`), []string{"?"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := policy.Parse([]byte(tc.text), checks)
			if err == nil && len(tc.want) == 0 {
				return
			}
			got := problems(t, err)
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("problems at %q, want %q\n%v", got, tc.want, err)
			}
		})
	}
}

func TestTextsThatAreNoJSON(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"":             "not valid JSON",
		"{":            "not valid JSON",
		good + good:    "not valid JSON",
		"{\"a\":\xff}": "not valid JSON",
		with(t, `"country"`, `"country": "YY", "country"`):     "/country occurs twice",
		with(t, `"burst": 200`, `"burst": 200, "burst": 2000`): "/issuers/0/burst occurs twice",
	} {
		_, err := policy.Parse([]byte(name), checks)
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%.20q: %v, want %q", name, err, text)
		}
	}
}

func TestWithoutADefaultSomebodyMustBeListed(t *testing.T) {
	t.Parallel()
	p, err := policy.Parse([]byte(good), checks)
	if err != nil {
		t.Fatal(err)
	}
	p.Issuers = nil
	if err := p.Validate(checks); err != nil {
		t.Errorf("a default alone: %v", err)
	}
	p.DefaultIssuer = nil
	if got := problems(t, p.Validate(checks)); !slices.Equal(got, []string{"issuers"}) {
		t.Errorf("problems at %q", got)
	}
}

// A check that was forgotten refuses.
func TestNoChecksKnowNothing(t *testing.T) {
	t.Parallel()
	_, err := policy.Parse([]byte(good), policy.Checks{})
	if got := problems(t, err); !slices.Equal(got, []string{"profiles[0].name", "profiles[1].name", "profiles[1].ignoredLints[0]"}) {
		t.Errorf("problems at %q", got)
	}
	_, err = policy.Parse([]byte(good), policy.Checks{Kind: checks.Kind})
	if got := problems(t, err); !slices.Equal(got, []string{"profiles[1].ignoredLints[0]"}) {
		t.Errorf("without a check of lints: problems at %q", got)
	}
}

func TestFileIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.json")
	if _, err := policy.Read(path, checks); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, []byte(good+strings.Repeat(" ", 4<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Read(path, checks); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("large file: %v", err)
	}
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policy.Read(path, checks); err != nil {
		t.Error(err)
	}
}

// A file that is wrong everywhere gives a bounded answer, in bounded time.
func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	wrong := strings.Repeat(`{"id": 1},`, 10_000)
	_, err := policy.Parse([]byte(with(t, `"issuers": [`, `"issuers": [`+wrong)), checks)
	if got := problems(t, err); len(got) == 0 || len(got) > 100 {
		t.Errorf("%d problems", len(got))
	}
	many := strings.Repeat(`{},`, 10_001)
	_, err = policy.Parse([]byte(with(t, `"profiles": [
`, `"profiles": [`+many)), checks)
	if got := problems(t, err); len(got) == 0 || len(got) > 100 {
		t.Errorf("%d problems", len(got))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"profiles":[{"name":null}],"issuers":[[]],"defaultIssuer":{"rate":-1e9,"most":1e9}}`))
	f.Add([]byte(`{"country":"XX","country":"YY"}`))
	f.Add([]byte("{\"operators\":[\"\xff\"]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policy.Parse(data, checks)
		if err != nil {
			problems(t, err)
			return
		}
		written, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Parse(written, checks); err != nil {
			t.Fatalf("a policy is not readable once written: %v\n%s", err, written)
		}
	})
}
