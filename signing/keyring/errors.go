package keyring

import (
	"strconv"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// retryAfter is what a caller is told when the register or the key store is away.
const retryAfter = 5 * time.Second

var (
	errRefused = fault.New(fault.Rule, "key-register", "The key register refuses this change.")
	errUnknown = fault.New(fault.NotFound, "unknown-key", "There is no key with this id on the register.")
	errAway    = fault.New(fault.Unavailable, "register-unavailable", "The key register cannot be reached at the moment.").Retry(retryAfter)
	errStore   = fault.New(fault.Unavailable, "key-store-unavailable", "The key store cannot be asked at the moment.").Retry(retryAfter)
	errBusy    = fault.New(fault.Unavailable, "register-busy", "The key register is being changed by others; try again.").Retry(retryAfter)
)

// refuse is a refusal about one place of the request.
func refuse(path, rule, detail, fix string) error {
	return errRefused.With(fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// at names a member of one registration of a request.
func at(i int, member string) string { return "/registrations/" + strconv.Itoa(i) + "/" + member }

// stamp writes an instant for people.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
