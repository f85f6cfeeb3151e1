package openhim

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/trustedparty/ddcc-gateway/issuance"
)

// TestConsoleStaysWithinBounds: everything a console can send.
func TestConsoleStaysWithinBounds(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]*Config{
		`{}`: {},
		`{"batch-entries":500,"batch-concurrency":8,"fhir-endpoint":"regional","formats":["shc","dcc"]}`: {
			BatchEntries: 500, BatchConcurrency: 8, FHIREndpoint: "regional", Formats: []issuance.Format{issuance.FormatWHO, issuance.FormatDCC, issuance.FormatSHC},
		},
		`{"formats":[]}`: {}, `{"formats":null,"batch-entries":null}`: {}, `{"of-another-version":{"a":[1]}}`: {}, `{"batch-entries":1.0}`: {BatchEntries: 1}, `{"batch-entries":1e2}`: {BatchEntries: 100},
		`{"batch-entries":501}`: nil, `{"batch-entries":0}`: nil, `{"batch-entries":-1}`: nil, `{"batch-entries":1.5}`: nil, `{"batch-entries":1e300}`: nil, `{"batch-entries":"7"}`: nil,
		`{"batch-concurrency":9}`: nil, `{"formats":["passport"]}`: nil, `{"formats":"dcc"}`: nil, `{"formats":[1]}`: nil, `{"fhir-endpoint":"https://elsewhere.example"}`: nil,
		`{"fhir-endpoint":""}`: nil, `{"fhir-endpoint":["national"]}`: nil, `{"batch-entries":7,"formats":["x"]}`: nil,
		`[]`: nil, `null`: nil, `"x"`: nil, ``: nil, `{"batch-entries":1,"batch-entries":2}`: nil, `{"batch-entries":1}{}`: nil, `{`: nil,
		`{"x":"` + strings.Repeat("a", maxConfig) + `"}`: nil,
	} {
		got, err := ParseConfig([]byte(raw), bounds)
		if (err == nil) != (want != nil) {
			t.Errorf("%.80s: %v", raw, err)
		}
		if err != nil && (strings.Contains(err.Error(), "elsewhere") || strings.Contains(err.Error(), "passport")) {
			t.Errorf("the error repeats a value: %v", err)
		}
		if want != nil && (!slices.Equal(got.Formats, want.Formats) || got.FHIREndpoint != want.FHIREndpoint || got.BatchEntries != want.BatchEntries || got.BatchConcurrency != want.BatchConcurrency) {
			t.Errorf("%.80s: %+v", raw, got)
		}
	}
}

// TestWhatIsWithinBoundsIsTaken, and what is beyond is not, whatever the bounds are.
func TestWhatIsWithinBoundsIsTaken(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := Bounds{
			Endpoints:    rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,8}`), 1, 3, rapid.ID[string]).Draw(t, "endpoints"),
			BatchEntries: rapid.IntRange(1, 500).Draw(t, "most entries"), BatchConcurrency: rapid.IntRange(1, 8).Draw(t, "most at a time"),
		}
		set := map[string]any{
			paramEntries: rapid.IntRange(-1, 1000).Draw(t, "entries"), paramConcurrency: rapid.IntRange(0, 16).Draw(t, "at a time"),
			paramEndpoint: rapid.OneOf(rapid.SampledFrom(b.Endpoints), rapid.StringMatching(`[a-z]{9}`)).Draw(t, "endpoint"),
		}
		raw, err := json.Marshal(set)
		if err != nil {
			t.Fatal(err)
		}
		within := func(n any, most int) bool { return n.(int) >= 1 && n.(int) <= most }
		good := within(set[paramEntries], b.BatchEntries) && within(set[paramConcurrency], b.BatchConcurrency) && slices.Contains(b.Endpoints, set[paramEndpoint].(string))
		c, err := ParseConfig(raw, b)
		if (err == nil) != good || good && (c.BatchEntries != set[paramEntries] || c.BatchConcurrency != set[paramConcurrency] || c.FHIREndpoint != set[paramEndpoint]) {
			t.Fatalf("%s within %+v: %+v %v", raw, b, c, err)
		}
	})
}

func TestHolder(t *testing.T) {
	t.Parallel()
	var h Holder
	if got := h.Tuning(); got.MaxEntries != 0 || h.FHIREndpoint() != "" {
		t.Errorf("%+v", got)
	}
	c := Config{Formats: []issuance.Format{issuance.FormatDCC}, FHIREndpoint: "national", BatchEntries: 3, BatchConcurrency: 2}
	if !h.set(c) || h.set(c) {
		t.Error("set does not tell what changed")
	}
	if got := h.Tuning(); got.MaxEntries != 3 || got.Concurrency != 2 || len(got.Formats) != 1 || h.FHIREndpoint() != "national" {
		t.Errorf("%+v", got)
	}
}

// TestNoSecretsAndCompleteChannels in a registration.
func TestNoSecretsAndCompleteChannels(t *testing.T) {
	t.Parallel()
	r := registrationOf(t, "1.2.3")
	if r.Config != nil {
		t.Error("a registration sets something")
	}
	channel := r.DefaultChannelConfig[0]
	if len(channel.Methods) == 0 || channel.AuthType != "private" || len(channel.Allow) == 0 || len(channel.Routes) != 1 || !channel.Routes[0].Primary || !channel.Routes[0].Secured ||
		!strings.HasPrefix(channel.URLPattern, "^") || !strings.HasSuffix(channel.URLPattern, "$") || channel.AutoRetryEnabled || channel.RequestBody || channel.ResponseBody {
		t.Errorf("channel %+v", channel)
	}
	for _, d := range r.ConfigDefs {
		if d.Type == "password" || d.Type == "option" && len(d.Values) == 0 || !slices.Contains([]string{"option", "number"}, d.Type) {
			t.Errorf("definition %+v", d)
		}
	}
	raw, err := json.Marshal(r)
	if err != nil || strings.Contains(string(raw), "password\"") || strings.Contains(string(raw), "username") {
		t.Errorf("%v %s", err, raw)
	}
	for name, id := range map[string]Identity{
		"urn": {"urn:a/b", "1.0.0", "h:1"}, "no urn": {"mediator", "1.0.0", "h:1"}, "version": {testURN, "1.0", "h:1"}, "prefix": {testURN, "v1.0.0", "h:1"},
		"prerelease": {testURN, "1.0.0-rc.1", "h:1"}, "zero": {testURN, "01.0.0", "h:1"}, "no port": {testURN, "1.0.0", "h"}, "port 0": {testURN, "1.0.0", "h:0"},
		"port name": {testURN, "1.0.0", "h:https"}, "no host": {testURN, "1.0.0", ":1"},
	} {
		if _, err := NewRegistration(id, bounds); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for module, want := range map[string]string{
		"v1.2.3": "1.2.3", "1.2.3": "1.2.3", "v1.2.3-0.20261121101010-abcdef123456+dirty": "1.2.3", "v1.0.0-rc.1": "1.0.0", "v1.0.0+b1": "1.0.0",
		"(devel)": "0.0.0", "unknown": "0.0.0", "": "0.0.0", "v1.2": "0.0.0", "v01.2.3": "0.0.0", "v1.2.3.4": "0.0.0", "v1.2.3 ": "0.0.0",
	} {
		if got := Version(module); got != want || CheckVersion(got) != nil {
			t.Errorf("%q: %s", module, got)
		}
	}
}

// TestWhatTheCoreAddsIsNoDifference.
func TestWhatTheCoreAddsIsNoDifference(t *testing.T) {
	t.Parallel()
	own := registrationOf(t, "1.0.0")
	own.Config = map[string]any{"batch-entries": 3}
	raw, err := json.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	own.Config = nil
	text := strings.NewReplacer(`{"param"`, `{"_id":"6b01a4","template":[],"param"`, `"version":"1.0.0"`, `"version":"0.9.0","__v":0,"_uptime":3`, `"config":{`, `"config":{"x":1,`).Replace(string(raw))
	var kept Registration
	if err := json.Unmarshal([]byte(text), &kept); err != nil || !own.SameAs(kept) {
		t.Errorf("%v: the core's own members make a difference", err)
	}
	kept.ConfigDefs[1].Description = "1 to 20"
	if own.SameAs(kept) {
		t.Error("another definition is taken for the same")
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{`{}`, `{"batch-entries":7,"formats":["dcc"],"fhir-endpoint":"national","batch-concurrency":2}`, `{"formats":[null]}`, `{"batch-entries":1e400}`, `[`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseConfig(raw, bounds)
		if err != nil {
			return
		}
		if c.BatchEntries < 0 || c.BatchEntries > bounds.BatchEntries || c.BatchConcurrency < 0 || c.BatchConcurrency > bounds.BatchConcurrency ||
			c.FHIREndpoint != "" && !slices.Contains(bounds.Endpoints, c.FHIREndpoint) {
			t.Fatalf("%+v is beyond the bounds", c)
		}
	})
}
