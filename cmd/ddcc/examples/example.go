// Package examples holds health events to try the gateway with. The persons in them are
// made up.
package examples

import (
	_ "embed"
	"strings"
	"time"
)

//go:embed two-dose-batch.json
var twoDoseBatch string

// TwoDoseBatch is a batch of two vaccinations of one specimen person, in the shape of a
// DDCC Submit Health Event request. The dates are set so that both certificates are
// valid at now, and hcid is its Health Certificate ID.
func TwoDoseBatch(now time.Time, hcid string) []byte {
	day := func(offset int) string { return now.UTC().AddDate(0, 0, offset).Format(time.DateOnly) }
	return []byte(strings.NewReplacer(
		"{{dose-1}}", day(-60), "{{dose-1-valid}}", day(-46), "{{dose-2}}", day(-30), "{{dose-2-valid}}", day(-16),
		"{{authored}}", day(0), "{{until}}", day(180), "{{hcid}}", hcid,
	).Replace(twoDoseBatch))
}
