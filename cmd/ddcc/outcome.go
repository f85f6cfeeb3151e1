package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// operationOutcome is what the gateway says about a request.
type operationOutcome struct {
	ResourceType string
	Issue        []struct {
		Severity string
		Details  struct {
			Text   string
			Coding []struct{ Code string } // the rule
		}
		Diagnostics string
		Expression  []string
		Location    []string
	}
}

// printOutcome shows an OperationOutcome for people, one issue a line. What is none is
// shown as it is.
func printOutcome(w io.Writer, raw []byte) {
	var o operationOutcome
	if err := json.Unmarshal(raw, &o); err != nil || o.ResourceType != "OperationOutcome" {
		fmt.Fprintf(w, "%s\n", raw)
		return
	}
	for _, issue := range o.Issue {
		said := issue.Details.Text
		for _, coding := range issue.Details.Coding {
			said = coding.Code + ": " + said
		}
		where := strings.Join(append(issue.Expression, issue.Location...), ", ")
		if where != "" {
			where = " (" + where + ")"
		}
		fmt.Fprintf(w, "  %-8s %s\n", issue.Severity, strings.TrimSpace(said+where+" "+issue.Diagnostics))
	}
}
