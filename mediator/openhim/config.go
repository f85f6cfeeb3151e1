package openhim

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/trustedparty/ddcc-gateway/issuance"
	"github.com/trustedparty/ddcc-gateway/mediator"
)

// The settings of the console.
const (
	paramFormats     = "formats"
	paramEndpoint    = "fhir-endpoint"
	paramEntries     = "batch-entries"
	paramConcurrency = "batch-concurrency"
)

// maxConfig bounds what is read of a console's settings, in bytes.
const maxConfig = 64 << 10

// Config is what the console has set. Zero values mean that it has not.
type Config struct {
	Formats          []issuance.Format // of issuers whose registration names none, beside WHO's own
	FHIREndpoint     string            // name of one of Bounds.Endpoints
	BatchEntries     int
	BatchConcurrency int
}

// Bounds are those of our own configuration: a console chooses within them.
type Bounds struct {
	Endpoints        []string // names of FHIR endpoints, the one in use first; may be empty
	BatchEntries     int
	BatchConcurrency int
}

func (b Bounds) defs() []Def {
	formats := make([]string, 0, len(issuance.Formats()))
	for _, f := range issuance.Formats() {
		if f != issuance.FormatWHO { // there is always one
			formats = append(formats, string(f))
		}
	}
	defs := []Def{
		{
			Param: paramFormats, DisplayName: "Formats", Type: "option", Values: formats, Array: true,
			Description: "What a request that names no formats gets beside the WHO DDCC, where its issuer's registration names none either.",
		},
		{
			Param: paramEntries, DisplayName: "Entries of a batch", Type: "number",
			Description: fmt.Sprintf("Most entries in one batch, 1 to %d.", b.BatchEntries),
		},
		{
			Param: paramConcurrency, DisplayName: "Entries at a time", Type: "number",
			Description: fmt.Sprintf("Entries of one batch that are processed at a time, 1 to %d.", b.BatchConcurrency),
		},
	}
	if len(b.Endpoints) > 0 {
		defs = append(defs, Def{
			Param: paramEndpoint, DisplayName: "FHIR server", Type: "option", Values: b.Endpoints,
			Description: "Where certificates are stored, among the servers of the gateway's own configuration.",
		})
	}
	return defs
}

// ParseConfig reads what a core sent. Every value must be within the bounds, else there is
// no Config; settings of other versions of the gateway are passed over. Errors name
// settings and rules and repeat no value.
func ParseConfig(raw []byte, b Bounds) (Config, error) {
	if len(raw) > maxConfig {
		return Config{}, fmt.Errorf("openhim: the settings are larger than %d bytes", maxConfig)
	}
	var values map[string]jsontext.Value
	if err := json.Unmarshal(raw, &values); err != nil || values == nil {
		return Config{}, errors.New("openhim: the settings are no JSON object with each name once")
	}
	var c Config
	var errs []error
	read := func(name string, into func(jsontext.Value) error) {
		if raw, ok := values[name]; ok && raw.Kind() != 'n' {
			if err := into(raw); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	read(paramFormats, c.formats)
	read(paramEndpoint, func(v jsontext.Value) error { return option(v, &c.FHIREndpoint, b.Endpoints) })
	read(paramEntries, func(v jsontext.Value) error { return number(v, &c.BatchEntries, b.BatchEntries) })
	read(paramConcurrency, func(v jsontext.Value) error { return number(v, &c.BatchConcurrency, b.BatchConcurrency) })
	if len(errs) > 0 {
		return Config{}, fmt.Errorf("openhim: %w", errors.Join(errs...))
	}
	return c, nil
}

func (c *Config) formats(raw jsontext.Value) error {
	var names []string
	if json.Unmarshal(raw, &names) != nil {
		return errors.New("must be a list of formats")
	}
	formats, err := issuance.ParseFormats(names)
	if err != nil {
		return errors.New("names a format that is not known")
	}
	c.Formats = formats
	return nil
}

func option(raw jsontext.Value, into *string, options []string) error {
	if json.Unmarshal(raw, into) != nil || !slices.Contains(options, *into) {
		return errors.New("is not one of the names in the gateway's configuration")
	}
	return nil
}

func number(raw jsontext.Value, into *int, most int) error {
	var n float64 // as consoles write it
	if raw.Kind() != '0' || json.Unmarshal(raw, &n) != nil || n != math.Trunc(n) || n < 1 || n > float64(most) {
		return fmt.Errorf("must be a whole number from 1 to %d", most)
	}
	*into = int(n)
	return nil
}

// Holder has the settings in use. It is safe for concurrent use; the zero value has none.
type Holder struct{ current atomic.Pointer[Config] }

// Get gives the settings in use.
func (h *Holder) Get() Config {
	if c := h.current.Load(); c != nil {
		return *c
	}
	return Config{}
}

// set takes new settings over and reports whether they differ.
func (h *Holder) set(c Config) bool {
	old := h.Get()
	h.current.Store(&c)
	return !slices.Equal(old.Formats, c.Formats) || old.FHIREndpoint != c.FHIREndpoint ||
		old.BatchEntries != c.BatchEntries || old.BatchConcurrency != c.BatchConcurrency
}

// FHIREndpoint is the name of the FHIR server that the console chose, empty when it chose
// none.
func (h *Holder) FHIREndpoint() string { return h.Get().FHIREndpoint }

// Tuning is what the mediator takes over.
func (h *Holder) Tuning() mediator.Tuning {
	c := h.Get()
	return mediator.Tuning{MaxEntries: c.BatchEntries, Concurrency: c.BatchConcurrency, Formats: c.Formats}
}
