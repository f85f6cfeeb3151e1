package vdsnc

import "slices"

// The codes of a proof of testing (TR VDS-NC §2.3.1).
var (
	documentTypes = []string{"P", "A", "C", "I", "AC", "V", "D"}
	testTypes     = []string{"molecular(PCR)", "molecular(other)", "antigen", "antibody"}
	testResults   = []string{"positive", "negative", "normal", "abnormal"}
)

func (m Message) checkTest() error {
	switch {
	case m.UVCI != "":
		return &Error{"data.msg.uvci", notInTest}
	case len(m.Vaccinations) > 0:
		return &Error{"data.msg.ve", notInTest}
	case m.Provider == nil:
		return &Error{"data.msg.sp", ruleNeeded}
	case m.Times == nil:
		return &Error{"data.msg.dat", ruleNeeded}
	case m.Result == nil:
		return &Error{"data.msg.tr", ruleNeeded}
	}
	return firstError(
		needText("data.msg.utci", m.UTCI),
		mayText("data.msg.opt", m.Optional),
		m.Person.checkTested(),
		m.Provider.check(),
		m.Times.check(),
		m.Result.check(),
	)
}

func (p Person) checkTested() error {
	switch {
	case p.Sex != "":
		return &Error{"data.msg.pid.sex", notInTest}
	case p.DocumentNumber != "":
		return &Error{"data.msg.pid.i", notInTest + "; a document number goes into dn"}
	case p.AdditionalID != "":
		return &Error{"data.msg.pid.ai", notInTest}
	case !isDate(p.BirthDate):
		return &Error{"data.msg.pid.dob", ruleDate}
	case !slices.Contains(documentTypes, p.DocumentType):
		return &Error{"data.msg.pid.dt", "must be P, A, C, I, AC, V or D"}
	}
	return firstError(needText("data.msg.pid.n", p.Name), needText("data.msg.pid.dn", p.TestDocument))
}

func (p Provider) check() error {
	if !isState(p.Country) {
		return &Error{"data.msg.sp.ctr", ruleState}
	}
	if err := needText("data.msg.sp.spn", p.Name); err != nil || p.Contact == nil {
		return err
	}
	c := *p.Contact
	if c == (Contact{}) {
		return &Error{"data.msg.sp.cd", "needs p, e or a; leave it out if none is known"}
	}
	return firstError(
		mayText("data.msg.sp.cd.p", c.Phone),
		mayText("data.msg.sp.cd.e", c.Mail),
		mayText("data.msg.sp.cd.a", c.Address),
	)
}

func (t Times) check() error {
	sampled, ok := parseTime(t.Sampled)
	if !ok {
		return &Error{"data.msg.dat.sc", ruleTime}
	}
	reported, ok := parseTime(t.Reported)
	if !ok {
		return &Error{"data.msg.dat.ri", ruleTime}
	}
	if reported.Before(sampled) {
		return &Error{"data.msg.dat.ri", "must not be before sc"}
	}
	return nil
}

func (r Result) check() error {
	switch {
	case !slices.Contains(testTypes, r.Type):
		return &Error{"data.msg.tr.tc", "must be molecular(PCR), molecular(other), antigen or antibody"}
	case !slices.Contains(testResults, r.Value):
		return &Error{"data.msg.tr.r", "must be positive, negative, normal or abnormal"}
	}
	return mayText("data.msg.tr.m", r.Method)
}
