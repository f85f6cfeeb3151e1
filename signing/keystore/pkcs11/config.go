package pkcs11

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
)

// Config are the settings of the store. Embed it with, for example, `embed:""
// prefix:"hsm-"` and check it with config.Under("hsm-", c.Check()).
type Config struct {
	Module      string            `help:"Path of the PKCS #11 library of the HSM." placeholder:"FILE"`
	TokenLabel  string            `name:"token-label" help:"Label of the token; give this, its serial number or its slot." placeholder:"LABEL"`
	TokenSerial string            `name:"token-serial" help:"Serial number of the token." placeholder:"SERIAL"`
	Slot        *int              `help:"Number of the slot that holds the token." placeholder:"N"`
	PIN         config.SecretFile `name:"pin" help:"File with the user PIN of the token." placeholder:"FILE"`
	MaxSessions int               `name:"max-sessions" default:"16" help:"Most sessions to hold open; two of them do not sign."`
	Timeout     time.Duration     `default:"5s" help:"Longest time of one operation, a new login included."`
}

// Limits of the settings.
const (
	minSessions = 3
	maxSessions = 1024
	idle        = 2 // sessions that do not sign: one keeps the login, one watches it
	minTimeout  = 10 * time.Millisecond
	maxTimeout  = time.Minute
)

// Enabled reports whether the store is configured at all.
func (c *Config) Enabled() bool { return c.Module != "" }

// Check reports everything that is wrong at once.
func (c *Config) Check() error {
	var errs []error
	if !filepath.IsAbs(c.Module) {
		errs = append(errs, config.Invalid("module", "is not an absolute path; give the library of the HSM"))
	}
	named := 0
	for _, given := range []bool{c.TokenLabel != "", c.TokenSerial != "", c.Slot != nil} {
		if given {
			named++
		}
	}
	if named != 1 {
		errs = append(errs, config.Invalid("token-label", "or token-serial or slot: give exactly one"))
	}
	if c.Slot != nil && *c.Slot < 0 {
		errs = append(errs, config.Invalid("slot", "must not be negative"))
	}
	if !c.PIN.IsSet() {
		errs = append(errs, config.Invalid("pin", "is not set; give a file with the user PIN"))
	}
	if c.MaxSessions < minSessions || c.MaxSessions > maxSessions {
		errs = append(errs, config.Invalid("max-sessions", "must be from %d to %d", minSessions, maxSessions))
	}
	if c.Timeout < minTimeout || c.Timeout > maxTimeout {
		errs = append(errs, config.Invalid("timeout", "must be from %s to %s", minTimeout, maxTimeout))
	}
	return errors.Join(errs...)
}
