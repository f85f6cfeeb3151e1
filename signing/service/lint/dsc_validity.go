package lint

import "github.com/trustedparty/ddcc-gateway/internal/platform/fault"

var dscValidity = Lint{
	ID:     "dsc-validity",
	Source: "GDHCN certificate governance, shell model: document within DSC within CSCA",
	Blame:  fault.Internal,
	Check:  checkDSCValidity,
}

func checkDSCValidity(in Input) []Finding {
	c := in.Message.Claims
	found := one(!c.IssuedAt.Before(in.DSC.NotBefore), "cwt.iat", "Issued before the DSC became valid.", "")
	found = append(found, one(!c.ExpiresAt.After(in.DSC.NotAfter), "cwt.exp", "Outlives the DSC.", "")...)
	return append(found, one(!in.DSC.NotAfter.After(in.CSCA.NotAfter), "dsc", "The DSC outlives its CSCA.", "")...)
}
