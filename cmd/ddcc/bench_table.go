package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Marks of a row.
const (
	markPass        = "pass"
	markMiss        = "miss"
	markNoGoal      = "no goal"
	markNotMeasured = "not run"
	markFailed      = "FAILED"
)

// benchReport is the outcome of a run.
type benchReport struct {
	Machine machine     `json:"machine"`
	Short   bool        `json:"short"`
	Rows    []benchLine `json:"rows"`
}

// benchLine is a concluded row.
type benchLine struct {
	Name       string           `json:"name"`
	Work       string           `json:"work"`
	Unit       string           `json:"unit,omitempty"`
	Mark       string           `json:"mark"`
	Measured   *spread          `json:"measured,omitempty"`
	Fewer      bool             `json:"lessIsBetter,omitempty"`
	Goal       float64          `json:"goal,omitempty"`
	GoalRatio  float64          `json:"goalRatio,omitempty"` // 1 or more reaches the goal
	References []benchReference `json:"references,omitempty"`
	Note       string           `json:"note,omitempty"`
}

// conclude holds a measurement against goal and references.
func (r benchRow) conclude(m measurement, err error) benchLine {
	line := benchLine{Name: r.name, Work: r.work, Unit: r.unit, Fewer: r.fewer, Goal: r.goal, Note: m.note}
	line.References = append(append(line.References, r.references...), m.live...)
	var none notMeasured
	switch {
	case errors.As(err, &none):
		line.Mark, line.Note = markNotMeasured, none.reason
		return line
	case err != nil:
		line.Mark, line.Note = markFailed, err.Error()
		return line
	}
	line.Measured = &m.value
	line.GoalRatio = ratio(m.value.Median, r.goal, r.fewer)
	for i, reference := range line.References {
		line.References[i].Ratio = ratio(m.value.Median, reference.Value, r.fewer)
	}
	switch {
	case r.goal == 0:
		line.Mark = markNoGoal
	case line.GoalRatio >= 1:
		line.Mark = markPass
	default:
		line.Mark = markMiss
	}
	return line
}

func (r benchReport) failed() bool {
	for _, line := range r.Rows {
		if line.Mark == markFailed {
			return true
		}
	}
	return false
}

func (r benchReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	if _, err := fmt.Fprintf(w, "%s\n\n", r.Machine); err != nil {
		return err
	}
	var lines bytes.Buffer
	table := tabwriter.NewWriter(&lines, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "row\tmeasured\tmin - max\tgoal\tx goal\tmark\treference\tx reference")
	for _, line := range r.Rows {
		line.print(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(lines.String()) {
		if _, err := fmt.Fprintln(w, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, r.legend())
	return err
}

// print writes the row; further references get lines of their own.
func (l benchLine) print(w io.Writer) {
	cells := []string{l.Name, "", "", "", "", l.Mark}
	if l.Measured != nil {
		cells[1] = figure(l.Measured.Median) + l.Unit
		cells[2] = figure(l.Measured.Min) + " - " + figure(l.Measured.Max)
	}
	if l.Goal != 0 {
		sign := ">= "
		if l.Fewer {
			sign = "<= "
		}
		cells[3], cells[4] = sign+figure(l.Goal)+l.Unit, times(l.GoalRatio)
	}
	for i := range max(len(l.References), 1) {
		if i > 0 {
			cells = make([]string, len(cells))
		}
		reference := "\t"
		if i < len(l.References) {
			reference = l.References[i].cells(l.Unit)
		}
		fmt.Fprintln(w, strings.Join(cells, "\t")+"\t"+reference)
	}
}

func (r benchReference) cells(unit string) string {
	origin := "live"
	if r.Recorded {
		origin = "recorded"
	}
	return fmt.Sprintf("%s%s %s (%s)\t%s", figure(r.Value), unit, r.Name, origin, times(r.Ratio))
}

func (r benchReport) legend() string {
	var b strings.Builder
	b.WriteString("\nMedians of several rounds. x goal, x reference: how many times better; x goal of 1 or more reaches the goal.\n\n")
	for _, line := range r.Rows {
		fmt.Fprintf(&b, "%s: %s", line.Name, line.Work)
		if line.Note != "" {
			fmt.Fprintf(&b, "; %s", line.Note)
		}
		b.WriteString(".\n")
	}
	return b.String()
}

// times is a ratio for people; nothing where there is none.
func times(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return figure(ratio)
}

// figure gives three digits at least and thousands in groups: 9,876, 45.6, 1.29.
func figure(v float64) string {
	decimals := 0
	switch {
	case v < 10:
		decimals = 2
	case v < 100:
		decimals = 1
	}
	digits := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if strings.Trim(fraction, "0") != "" {
		whole += "." + fraction
	}
	return whole
}
