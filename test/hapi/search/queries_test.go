package search

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/search"
)

// query is one search.
type query struct{ typ, parameters string }

func (q query) String() string { return q.typ + "?" + q.parameters }

// plain is the query without its escapes.
func (q query) plain() string {
	if text, err := url.QueryUnescape(q.String()); err == nil {
		return text
	}
	return q.String()
}

// samples bounds how many values of one parameter are asked for.
const samples = 2

// made are the searches that the examples suggest: for each parameter that finds one of them,
// some values in each form.
func made(t *testing.T, all []example) []query {
	t.Helper()
	values, known := map[string][]search.Value{}, map[string]bool{"/": true}
	for _, e := range all {
		known[e.name()] = true
	}
	for _, e := range all {
		found, err := search.Extract(e.typ, e.raw)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range found {
			if key := v.Type + " " + v.Param + " " + string(v.Kind); v.Group == 0 && (v.URL != "" || known[v.TargetType+"/"+v.TargetID]) {
				values[key] = append(values[key], v)
			}
		}
	}
	var queries []query
	for key, found := range values {
		typ, rest, _ := strings.Cut(key, " ")
		param, _, _ := strings.Cut(rest, " ")
		parameter, official := search.Lookup(typ, param)
		add := func(modifier, value string) {
			queries = append(queries, query{typ, url.QueryEscape(param+modifier) + "=" + url.QueryEscape(value)})
		}
		for _, v := range spread(found) {
			switch {
			case official:
				forms(parameter, v, add)
			case strings.HasSuffix(param, ":identifier"):
				add("", search.Escape(v.System)+"|"+search.Escape(v.Code))
			case strings.HasSuffix(param, ":of-type"):
				typeCode, value, _ := strings.Cut(v.Code, "|")
				add("", search.Escape(v.System)+"|"+search.Escape(typeCode)+"|"+search.Escape(value))
			}
		}
		if official && parameter.Kind == found[0].Kind {
			add(":missing", "true")
			add(":missing", "false")
		}
	}
	slices.SortFunc(queries, func(a, b query) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(queries)
}

// spread picks samples over the whole list.
func spread(all []search.Value) []search.Value {
	if len(all) <= samples {
		return all
	}
	var some []search.Value
	for i := range samples {
		some = append(some, all[i*(len(all)-1)/(samples-1)])
	}
	return some
}

// forms asks for a value in each form its kind has.
func forms(p search.Parameter, v search.Value, add func(modifier, value string)) {
	switch v.Kind {
	case search.KindToken:
		if v.Code == "" {
			return
		}
		code := search.Escape(v.Code)
		add("", code)
		add("", search.Escape(v.System)+"|"+code)
		add(":not", code)
		if v.System != "" {
			add("", search.Escape(v.System)+"|")
			add("", "|"+code)
		}
	case search.KindString:
		modifier := ""
		if p.Kind == search.KindToken {
			modifier = ":text"
		}
		runes := []rune(v.Text)
		add(modifier, search.Escape(string(runes[:min(len(runes), 12)])))
		if modifier == "" {
			add(":exact", search.Escape(v.Text))
			add(":contains", search.Escape(string(runes[len(runes)/3:min(len(runes), len(runes)/3+6)])))
			add("", strings.ToUpper(search.Escape(string(runes[:min(len(runes), 4)]))))
		}
	case search.KindReference:
		referenceForms(v, add)
	case search.KindDate:
		dateForms(v, add)
	case search.KindNumber, search.KindQuantity:
		numberForms(v, add)
	case search.KindURI:
		add("", search.Escape(v.Text))
		add(":below", search.Escape(v.Text[:max(1, len(v.Text)-2)]))
	}
}

func referenceForms(v search.Value, add func(modifier, value string)) {
	switch {
	case v.URL != "" && v.Version != "":
		add("", search.Escape(v.URL)+"|"+search.Escape(v.Version))
		add("", search.Escape(v.URL))
	case v.URL != "":
		add("", search.Escape(v.URL))
	default:
		add("", v.TargetType+"/"+v.TargetID)
		add("", v.TargetID)
		add(":"+v.TargetType, v.TargetID)
	}
}

func dateForms(v search.Value, add func(modifier, value string)) {
	at := v.From
	if at == search.Earliest {
		at = v.To
	}
	day := time.UnixMicro(at).UTC()
	layouts := []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04:05Z"}
	for i, prefix := range []string{"", "ne", "gt", "lt", "ge", "le", "sa", "eb"} {
		add("", prefix+day.Format(layouts[(i+day.YearDay())%len(layouts)]))
	}
	add("", day.Format("2006-01-02"))
}

func numberForms(v search.Value, add func(modifier, value string)) {
	n := v.Low
	if n == search.Lowest {
		n = v.High
	}
	text := strconv.FormatFloat(n, 'f', -1, 64)
	for _, prefix := range []string{"", "ne", "gt", "lt", "ge", "le", "ap"} {
		add("", prefix+text)
	}
	add("", fmt.Sprintf("%.1f", n))
	if v.Kind == search.KindQuantity {
		add("", text+"|"+search.Escape(v.System)+"|"+search.Escape(v.Code))
		add("", "gt"+text+"|"+search.Escape(v.System)+"|"+search.Escape(v.Code))
		add("", text+"||"+search.Escape(v.Code))
		add("", text+"||"+search.Escape(v.Text))
	}
}
