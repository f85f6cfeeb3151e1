package revocation

import (
	"fmt"
	"time"
)

// Never is the expiry on lists whose certificates have none.
var Never = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// PeriodEnd gives the last second of the half of the calendar year in which a certificate
// expires, Never without expiry. Lists are cut by it, and state it in place of the expiry:
// they shrink as time passes, and show nothing about a single certificate.
func PeriodEnd(expires time.Time) time.Time {
	if expires.IsZero() {
		return Never
	}
	expires = expires.UTC()
	month := time.July
	year := expires.Year()
	if expires.Month() >= time.July {
		month, year = time.January, year+1
	}
	return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Add(-time.Second)
}

// PeriodName names the half of a year that ends then, e.g. "2027H1"; "later" for Never.
func PeriodName(end time.Time) string {
	if end.Equal(Never) {
		return "later"
	}
	half := 1
	if end.Month() > time.June {
		half = 2
	}
	return fmt.Sprintf("%04dH%d", end.Year(), half)
}
