package lint

import "github.com/trustedparty/ddcc-gateway/internal/platform/fault"

var dscValidity = Lint{
	ID:     "dsc-validity",
	For:    every,
	Source: "GDHCN certificate governance, shell model: document within DSC within CSCA",
	Blame:  fault.Internal,
	Check:  checkDSCValidity,
}

func checkDSCValidity(in Input) []Finding {
	begin, end := in.span()
	found := one(!begin.Before(in.DSC.NotBefore), "iat", "Issued before the DSC became valid.", "")
	found = append(found, one(!end.After(in.DSC.NotAfter), "exp", "Outlives the DSC.", "")...)
	return append(found, one(!in.DSC.NotAfter.After(in.CSCA.NotAfter), "dsc", "The DSC outlives its CSCA.", "")...)
}
