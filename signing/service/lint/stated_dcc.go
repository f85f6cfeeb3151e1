package lint

import (
	"github.com/trustedparty/ddcc-gateway/formats/dcc"
	"github.com/trustedparty/ddcc-gateway/formats/icvp"
)

func statedDCC(c dcc.Certificate) map[string]any {
	name := tree{}
	name.text("fn", c.Name.Family)
	name.text("fnt", c.Name.FamilyStandard)
	name.text("gn", c.Name.Given)
	name.text("gnt", c.Name.GivenStandard)
	root := tree{"nam": map[string]any(name)}
	root.must("ver", c.Version)
	root.must("dob", c.BirthDate)
	root.list("v", len(c.Vaccinations), func(i int) tree { return statedDose(c.Vaccinations[i]) })
	root.list("t", len(c.Tests), func(i int) tree { return statedSample(c.Tests[i]) })
	root.list("r", len(c.Recoveries), func(i int) tree { return statedRecovery(c.Recoveries[i]) })
	return root
}

func statedDose(v dcc.Vaccination) tree {
	return tree{
		"tg": v.Disease, "vp": v.Prophylaxis, "mp": v.Product, "ma": v.Holder, "dn": int64(v.Dose), "sd": int64(v.TotalDoses),
		"dt": v.Date, "co": v.Country, "is": v.Issuer, "ci": v.UVCI,
	}
}

func statedSample(s dcc.Test) tree {
	t := tree{"tg": s.Disease, "tt": s.Type, "sc": s.Sampled, "tr": s.Result, "co": s.Country, "is": s.Issuer, "ci": s.UVCI}
	t.text("nm", s.Name)
	t.text("ma", s.Device)
	t.text("tc", s.Centre)
	return t
}

func statedRecovery(r dcc.Recovery) tree {
	return tree{
		"tg": r.Disease, "fr": r.FirstPositive, "co": r.Country, "is": r.Issuer,
		"df": r.ValidFrom, "du": r.ValidUntil, "ci": r.UVCI,
	}
}

// statedICVP has the member names of ICVPMin 0.3.0.
func statedICVP(c icvp.Card) map[string]any {
	v := c.Vaccination
	dose := tree{"vp": v.Product, "dt": v.Date, "bo": v.Batch}
	dose.text("cn", v.Clinician)
	dose.text("is", v.Issuer)
	dose.text("vls", v.ValidFrom)
	dose.text("vle", v.ValidUntil)
	root := tree{"n": c.Name, "dob": c.BirthDate}
	root.text("s", c.Sex)
	root.text("ntl", c.Nationality)
	root.text("nid", c.DocumentID)
	root.text("ndt", c.DocumentKey)
	root.text("gn", c.Guardian)
	root.list("v", 1, func(int) tree { return dose })
	return root
}
