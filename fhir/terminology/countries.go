package terminology

// Country is one entry of ISO 3166-1. Numeric has three digits.
type Country struct {
	Alpha2  string
	Alpha3  string
	Numeric string
	Name    string // English short form
}

// CountryByAlpha2 finds an entry by its two-letter code, in capitals.
func CountryByAlpha2(code string) (Country, bool) {
	c, ok := loaded().alpha2[code]
	return c, ok
}

// CountryByAlpha3 finds an entry by its three-letter code, in capitals.
func CountryByAlpha3(code string) (Country, bool) {
	c, ok := loaded().alpha3[code]
	return c, ok
}

// CountryByNumeric finds an entry by its three-digit code, leading zeros included.
func CountryByNumeric(code string) (Country, bool) {
	c, ok := loaded().numeric[code]
	return c, ok
}

// CountryByCode finds an entry by any of its three codes.
func CountryByCode(code string) (Country, bool) {
	switch {
	case len(code) == 2:
		return CountryByAlpha2(code)
	case code != "" && code[0] <= '9':
		return CountryByNumeric(code)
	default:
		return CountryByAlpha3(code)
	}
}

// TestCountry reports a code of the user-assigned range XAA to XZZ (ISO 3166-1, user-assigned code elements),
// from which GDHCN takes its test participants: XXA to XXZ, XCL, XML. Such a code is in
// no value set here and names no country; only a test deployment may accept it.
func TestCountry(alpha3 string) bool {
	return len(alpha3) == 3 && alpha3[0] == 'X' && capital(alpha3[1]) && capital(alpha3[2])
}

func capital(b byte) bool { return 'A' <= b && b <= 'Z' }

// addCountry reads "alpha-2, alpha-3, numeric, name" and makes the codes members of the
// value sets FHIR R4 has for them.
func (t *tables) addCountry(_, fields []string) error {
	if len(fields) != 4 {
		return errFields
	}
	c := Country{fields[0], fields[1], fields[2], fields[3]}
	if len(c.Alpha2) != 2 || len(c.Alpha3) != 3 || len(c.Numeric) != 3 {
		return errFields
	}
	t.alpha2[c.Alpha2], t.alpha3[c.Alpha3], t.numeric[c.Numeric] = c, c, c
	for id, code := range map[string]string{
		ValueSetCountryAlpha2: c.Alpha2, ValueSetCountryAlpha3: c.Alpha3, ValueSetCountryNumeric: c.Numeric,
	} {
		concept := conceptKey{SystemISO3166, code}
		if _, ok := t.displays[concept]; ok {
			return errDuplicate
		}
		t.displays[concept] = c.Name
		if err := t.addToSet(id, concept); err != nil {
			return err
		}
	}
	return nil
}
