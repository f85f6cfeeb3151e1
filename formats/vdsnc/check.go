package vdsnc

import "fmt"

// check applies the rules of TR VDS-NC §2 and of its JSON schemas.
func (d Data) check() error {
	h := d.Header
	switch {
	case h.Type != TypeVaccination && h.Type != TypeTest:
		return &Error{"data.hdr.t", "must be icao.vacc or icao.test"}
	case h.Version != Version:
		return &Error{"data.hdr.v", "must be 1"}
	case !isState(h.State):
		return &Error{"data.hdr.is", ruleState}
	}
	if h.Type == TypeVaccination {
		return d.Message.checkVaccination()
	}
	return d.Message.checkTest()
}

// Rules of what belongs to one type of seal alone.
const (
	notInVaccination = "belongs to a proof of testing; leave it out"
	notInTest        = "belongs to a proof of vaccination; leave it out"
)

func (m Message) checkVaccination() error {
	switch {
	case m.UTCI != "":
		return &Error{"data.msg.utci", notInVaccination}
	case m.Provider != nil:
		return &Error{"data.msg.sp", notInVaccination}
	case m.Times != nil:
		return &Error{"data.msg.dat", notInVaccination}
	case m.Result != nil:
		return &Error{"data.msg.tr", notInVaccination}
	case m.Optional != "":
		return &Error{"data.msg.opt", notInVaccination}
	case len(m.Vaccinations) == 0:
		return &Error{"data.msg.ve", "needs at least one vaccine"}
	}
	if err := needText("data.msg.uvci", m.UVCI); err != nil {
		return err
	}
	if err := m.Person.checkVaccinated(); err != nil {
		return err
	}
	for i, event := range m.Vaccinations {
		if err := event.check(fmt.Sprintf("data.msg.ve[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (p Person) checkVaccinated() error {
	switch {
	case p.DocumentType != "":
		return &Error{"data.msg.pid.dt", notInVaccination}
	case p.TestDocument != "":
		return &Error{"data.msg.pid.dn", notInVaccination}
	case p.DocumentNumber == "" && p.BirthDate == "":
		return &Error{"data.msg.pid", "needs i, the number of a travel document, or dob"}
	case p.Sex != "" && p.Sex != "M" && p.Sex != "F" && p.Sex != "X":
		return &Error{"data.msg.pid.sex", "must be M, F or X"}
	case p.BirthDate != "" && !isDate(p.BirthDate):
		return &Error{"data.msg.pid.dob", ruleDate}
	}
	return firstError(
		needText("data.msg.pid.n", p.Name),
		mayText("data.msg.pid.i", p.DocumentNumber),
		mayText("data.msg.pid.ai", p.AdditionalID),
	)
}

func (e Event) check(path string) error {
	if len(e.Doses) == 0 {
		return &Error{path + ".vd", "needs at least one dose"}
	}
	if err := firstError(
		needText(path+".des", e.Vaccine),
		needText(path+".nam", e.Brand),
		mayText(path+".dis", e.Disease),
	); err != nil {
		return err
	}
	for i, dose := range e.Doses {
		if err := dose.check(fmt.Sprintf("%s.vd[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func (d Dose) check(path string) error {
	switch {
	case !isDate(d.Date):
		return &Error{path + ".dvc", ruleDate}
	case d.Number < 1 || d.Number > 99:
		return &Error{path + ".seq", "must be 1 to 99"}
	case !isState(d.Country):
		return &Error{path + ".ctr", ruleState}
	case d.NextDose != "" && !isDate(d.NextDose):
		return &Error{path + ".dvn", ruleDate}
	case d.NextDose != "" && d.NextDose < d.Date:
		return &Error{path + ".dvn", "must not be before dvc"}
	}
	return firstError(needText(path+".adm", d.Centre), needText(path+".lot", d.Lot))
}
