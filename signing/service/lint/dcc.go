package lint

import (
	"strings"
	"time"

	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var dccRules = Lint{
	ID:     "dcc-rules",
	For:    dccs,
	Source: "EU DCC schema 1.3.x, value sets and guidelines (Commission Implementing Decision (EU) 2021/1073)",
	Blame:  fault.Rule,
	Check:  checkDCC,
}

// uvciScheme begins a certificate identifier, before the country of who issued it.
const uvciScheme = "URN:UVCI:01:"

func checkDCC(in Input) []Finding {
	var found []Finding
	for _, p := range dcc.CheckIssued(in.content) {
		if !p.Warning {
			found = append(found, Finding{under("dcc", p.Path), "The element " + p.Detail + ".", "Correct the element."})
		}
	}
	for _, group := range []string{"v", "t", "r"} {
		if at(in.content, group) == nil {
			continue
		}
		entry := group + ".0."
		is, _ := at(in.content, entry+"is").(string)
		found = append(found, one(is != "", under("dcc", group+"[0].is"), "The certificate names no issuer.", "Name the authority.")...)
		ci, _ := at(in.content, entry+"ci").(string)
		found = append(found, one(strings.HasPrefix(ci, uvciScheme+in.Country+":"), under("dcc", group+"[0].ci"),
			"The identifier is not one of this service's country.", "Make the UVCI with the country of the signing service.")...)
	}
	return found
}

var dccEnd = Lint{
	ID:     "dcc-end",
	For:    dccs,
	Source: "HCERT specification, claim 4: a certificate ends no later than its content",
	Blame:  fault.Internal,
	Check:  checkDCCEnd,
}

func checkDCCEnd(in Input) []Finding {
	until, _ := at(in.content, "r.0.du").(string)
	if until == "" {
		return nil
	}
	day, err := time.Parse(time.DateOnly, until)
	if err != nil {
		return nil // dcc-rules says so
	}
	return one(in.HCERT.Claims.ExpiresAt.Before(day.AddDate(0, 0, 1)), "cwt.exp", "The certificate outlives the recovery it certifies.", "")
}

// under gives the path of a member of stated claims.
func under(format, path string) string {
	if path == "" {
		return "claims." + format
	}
	return "claims." + format + "." + path
}
