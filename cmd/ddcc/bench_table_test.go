package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestConclude(t *testing.T) {
	t.Parallel()
	more := benchRow{name: "rate", goal: 100, references: []benchReference{recorded("other", 50)}}
	fewer := benchRow{name: "latency", goal: 60, fewer: true}
	for name, test := range map[string]struct {
		row  benchRow
		m    measurement
		err  error
		mark string
		goal float64
	}{
		"reached":          {more, measurement{value: spread{150, 1, 200}}, nil, markPass, 1.5},
		"exactly":          {more, measurement{value: spread{100, 1, 200}}, nil, markPass, 1},
		"missed":           {more, measurement{value: spread{87.5, 1, 200}}, nil, markMiss, 0.875},
		"less is better":   {fewer, measurement{value: spread{30, 1, 200}}, nil, markPass, 2},
		"less missed":      {fewer, measurement{value: spread{61, 1, 200}}, nil, markMiss, 60.0 / 61},
		"nothing measured": {fewer, measurement{}, nil, markMiss, 0},
		"no goal":          {benchRow{}, measurement{value: spread{1, 1, 1}}, nil, markNoGoal, 0},
		"not run":          {more, measurement{}, fmt.Errorf("so: %w", notMeasured{"not now"}), markNotMeasured, 0},
		"failed":           {more, measurement{value: spread{500, 1, 900}}, errors.New("one was answered 503"), markFailed, 0},
	} {
		line := test.row.conclude(test.m, test.err)
		if line.Mark != test.mark || line.GoalRatio != test.goal {
			t.Errorf("%s: got %q, goal ratio %v", name, line.Mark, line.GoalRatio)
		}
		if (line.Measured != nil) != (test.err == nil) {
			t.Errorf("%s: a figure without a measurement, or none with one", name)
		}
		if test.err != nil && (line.Note == "" || line.References != nil && line.References[0].Ratio != 0) {
			t.Errorf("%s: got note %q and references %v", name, line.Note, line.References)
		}
	}
	line := more.conclude(measurement{value: spread{150, 1, 200}, live: []benchReference{{Name: "here", Value: 300}}}, nil)
	want := []benchReference{{"other", 50, true, 3}, {"here", 300, false, 0.5}}
	if !slices.Equal(line.References, want) {
		t.Errorf("references: got %v, want %v", line.References, want)
	}
	if more.references[0].Ratio != 0 {
		t.Error("the row itself was changed")
	}
}

func TestOnlyFailuresFail(t *testing.T) {
	t.Parallel()
	for mark, want := range map[string]bool{markPass: false, markMiss: false, markNoGoal: false, markNotMeasured: false, markFailed: true} {
		if got := (benchReport{Rows: []benchLine{{Mark: markPass}, {Mark: mark}}}).failed(); got != want {
			t.Errorf("%s: got %v", mark, got)
		}
	}
}

func specimenReport() benchReport {
	fast := benchRow{name: "fast", work: "things done", unit: "/s", goal: 6000, references: []benchReference{recorded("old", 316), recorded("older", 0.5)}}
	slow := benchRow{name: "slow-thing", work: "waiting", unit: " ms", goal: 60, fewer: true}
	late := benchRow{name: "late", work: "later", goal: 1.3, fewer: true}
	return benchReport{
		Machine: machine{Platform: "linux/amd64", Go: "go1", Cores: 2},
		Rows: []benchLine{
			fast.conclude(measurement{value: spread{12345.6, 999, 1234567}, note: "with care"}, nil),
			slow.conclude(measurement{value: spread{75.26, 8, 100}}, nil),
			late.conclude(measurement{}, notMeasured{"not run in --short"}),
		},
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := specimenReport().print(&out, false); err != nil {
		t.Fatal(err)
	}
	want := `linux/amd64, 2 cores, go1

row         measured  min - max        goal        x goal  mark     reference                x reference
fast        12,346/s  999 - 1,234,567  >= 6,000/s  2.06    pass     316/s old (recorded)     39.1
                                                                    0.50/s older (recorded)  24,691
slow-thing  75.3 ms   8 - 100          <= 60 ms    0.80    miss
late                                   <= 1.30             not run

Medians of several rounds. x goal, x reference: how many times better; x goal of 1 or more reaches the goal.

fast: things done; with care.
slow-thing: waiting.
late: later; not run in --short.
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := specimenReport().print(&out, true); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rows []struct {
			Name, Mark, Note string
			Measured         *struct{ Median float64 }
			Goal, GoalRatio  float64
			References       []struct {
				Name     string
				Recorded bool
				Ratio    float64
			}
		}
	}
	decoder := json.NewDecoder(&out)
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if decoder.More() || len(got.Rows) != 3 {
		t.Fatalf("not one object with three rows: %+v", got)
	}
	fast, late := got.Rows[0], got.Rows[2]
	if fast.Measured == nil || fast.Measured.Median != 12345.6 || fast.GoalRatio < 2.05 || !fast.References[0].Recorded || fast.References[0].Ratio < 39 {
		t.Errorf("fast: %+v", fast)
	}
	if late.Measured != nil || late.Mark != markNotMeasured || late.Note == "" {
		t.Errorf("late: %+v", late)
	}
}

// refuser fails after some bytes.
type refuser int

func (r *refuser) Write(b []byte) (int, error) {
	if *r -= refuser(len(b)); *r < 0 {
		return 0, errors.New("full")
	}
	return len(b), nil
}

func TestPrintReportsAWriterThatFails(t *testing.T) {
	t.Parallel()
	for _, room := range []refuser{0, 40, 300} {
		if err := specimenReport().print(&room, false); err == nil {
			t.Error("no error")
		}
	}
}

func TestFigure(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0", 0.254: "0.25", 1: "1", 1.3: "1.30", 9.994: "9.99", 42: "42", 66.66: "66.7", 100: "100", 999.4: "999",
		1000: "1,000", 12499.6: "12,500", 123456: "123,456", 1e6: "1,000,000",
	} {
		if got := figure(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

// Names are what --rows takes, and the goals are those of the design.
func TestRows(t *testing.T) {
	t.Parallel()
	goals := map[string]float64{
		"hcert-issue": 6000, "certificate-with-qr": 900, "qr-image": 0, "hcert-verify": 6000,
		"dcc-issue": 0, "dcc-verify": 0, "shc-issue": 0, "shc-verify": 0, "vdsnc-issue": 0, "vdsnc-verify": 0, "icvp-issue": 0, "icvp-verify": 0,
		"pdf-card": 150, "revocation-filter": budgetBits,
		"vault-sign": 10000, "vault-sign-latency": 2,
		"whole-issue": 1000, "bulk-share": 0.8, "issue-latency": 60, "gateway-memory": 200, "growth": 1.3,
	}
	rows := benchRows()
	for _, row := range rows {
		goal, known := goals[row.name]
		if !known || goal != row.goal || strings.ContainsAny(row.name, " ,") || row.work == "" || row.measure == nil {
			t.Errorf("row %q", row.name)
		}
		delete(goals, row.name)
	}
	if len(goals) > 0 {
		t.Errorf("no row for %v", goals)
	}
}

func TestSelected(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		c    benchCmd
		want string
	}{
		"two in their order":                    {benchCmd{Rows: []string{"growth", "hcert-issue"}, Workers: 1, Stored: 5000}, "hcert-issue growth"},
		"unknown":                               {benchCmd{Rows: []string{"hcert-issue", "speed"}, Workers: 1, Stored: 5000}, ""},
		"no workers":                            {benchCmd{Stored: 5000}, ""},
		"too few to grow":                       {benchCmd{Workers: 1, Stored: 1}, ""},
		"keys made in Vault, used from nowhere": {benchCmd{Workers: 1, Stored: 5000, storeFlags: storeFlags{KeyStore: "vault"}}, ""},
		"keys used from Vault, made nowhere":    {benchCmd{Workers: 1, Stored: 5000, SignerFlag: []string{"--key-store=vault"}}, ""},
		"both on Vault": {benchCmd{
			Workers: 1, Stored: 5000, Rows: []string{"vault-sign"},
			storeFlags: storeFlags{KeyStore: "vault"}, SignerFlag: []string{"--key-store=vault"},
		}, "vault-sign"},
	} {
		rows, err := test.c.selected()
		var names []string
		for _, row := range rows {
			names = append(names, row.name)
		}
		if got := strings.Join(names, " "); got != test.want || (test.want == "") != errors.Is(err, errUsage) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
