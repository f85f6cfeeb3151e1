package service

import (
	"errors"
	"fmt"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/hcert"
	"github.com/trustedparty/ddcc-gateway/signing"
	"github.com/trustedparty/ddcc-gateway/signing/keystore"
)

// Profile says how one kind of certificate is made and who may ask for it.
type Profile struct {
	Name        string
	SubClaim    int64           // place inside claim -260
	Usage       keystore.Usage  // key that signs it
	MaxValidity time.Duration   // between issued-at and expiry
	Callers     []string        // client certificate names; nobody when empty
	Ignored     map[string]bool // ids of lints this profile is excepted from, by review
}

// DefaultProfiles are the two WHO profiles with GDHCN's sub-claim numbers.
func DefaultProfiles(callers ...string) []Profile {
	const year = 365 * 24 * time.Hour
	return []Profile{
		{Name: signing.ProfileDDCCVS, SubClaim: hcert.SubClaimDDCCVS, Usage: keystore.UsageVaccination, MaxValidity: year, Callers: callers},
		{Name: signing.ProfileDDCCTR, SubClaim: hcert.SubClaimDDCCTR, Usage: keystore.UsageTest, MaxValidity: year, Callers: callers},
	}
}

func (p Profile) validate() error {
	switch {
	case p.Name == "":
		return errors.New("a profile has no name")
	case p.Usage == "":
		return fmt.Errorf("profile %s: no key usage", p.Name)
	case p.MaxValidity < time.Second:
		return fmt.Errorf("profile %s: no maximum validity", p.Name)
	case len(p.Callers) == 0:
		return fmt.Errorf("profile %s: no caller may use it; name at least one client certificate", p.Name)
	}
	return nil
}

func (p Profile) allows(caller string) bool {
	for _, c := range p.Callers {
		if c == caller && c != "" {
			return true
		}
	}
	return false
}
