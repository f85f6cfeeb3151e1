package lint

import "github.com/trustedparty/ddcc-gateway/formats/vdsnc"

// statedSeal is the signed part of a seal: the header that is the service's, and the message.
func (in Input) statedSeal() map[string]any {
	m := in.Claims.VDSNC
	kind := vdsnc.TypeVaccination
	if m.Times != nil {
		kind = vdsnc.TypeTest
	}
	message := tree{"pid": map[string]any(statedHolder(m.Person))}
	message.text("uvci", m.UVCI)
	message.text("utci", m.UTCI)
	message.text("opt", m.Optional)
	message.list("ve", len(m.Vaccinations), func(i int) tree { return statedVaccine(m.Vaccinations[i]) })
	if p := m.Provider; p != nil {
		message["sp"] = map[string]any(statedProvider(*p))
	}
	if t := m.Times; t != nil {
		message["dat"] = map[string]any{"sc": t.Sampled, "ri": t.Reported}
	}
	if r := m.Result; r != nil {
		result := tree{"tc": r.Type, "r": r.Value}
		result.text("m", r.Method)
		message["tr"] = map[string]any(result)
	}
	return tree{
		"hdr": map[string]any{"t": kind, "v": int64(vdsnc.Version), "is": in.State},
		"msg": map[string]any(message),
	}
}

func statedHolder(p vdsnc.Person) tree {
	t := tree{"n": p.Name}
	t.text("dob", p.BirthDate)
	t.text("sex", p.Sex)
	t.text("i", p.DocumentNumber)
	t.text("ai", p.AdditionalID)
	t.text("dt", p.DocumentType)
	t.text("dn", p.TestDocument)
	return t
}

func statedVaccine(e vdsnc.Event) tree {
	t := tree{"des": e.Vaccine, "nam": e.Brand}
	t.text("dis", e.Disease)
	t.list("vd", len(e.Doses), func(i int) tree {
		d := e.Doses[i]
		dose := tree{"dvc": d.Date, "seq": int64(d.Number), "ctr": d.Country, "adm": d.Centre, "lot": d.Lot}
		dose.text("dvn", d.NextDose)
		return dose
	})
	return t
}

func statedProvider(p vdsnc.Provider) tree {
	t := tree{"spn": p.Name, "ctr": p.Country}
	if p.Contact != nil {
		contact := tree{}
		contact.text("p", p.Contact.Phone)
		contact.text("e", p.Contact.Mail)
		contact.text("a", p.Contact.Address)
		t["cd"] = map[string]any(contact)
	}
	return t
}
