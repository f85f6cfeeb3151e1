package verification_test

// euContent is an EU DCC of one kind (v, t or r).
func euContent(group string) object {
	event := object{
		"v": object{
			"tg": "840539006", "vp": "1119349007", "mp": "EU/1/20/1528", "ma": "ORG-100030215", "dn": 2, "sd": 2, "dt": "2026-01-11",
			"co": "XX", "is": "Ministry of Specimens", "ci": specimenUVCI,
		},
		"t": object{
			"tg": "840539006", "tt": "LP6464-4", "nm": "Specimen PCR", "sc": "2026-01-11T17:30:00Z", "tr": "260415000", "tc": "Specimen Centre",
			"co": "XX", "is": "Ministry of Specimens", "ci": specimenUVCI,
		},
		"r": object{
			"tg": "840539006", "fr": "2026-01-01", "df": "2026-01-12", "du": "2026-06-28",
			"co": "XX", "is": "Ministry of Specimens", "ci": specimenUVCI,
		},
	}[group]
	return object{
		"ver": "1.3.0", "dob": "1990-02-03", "nam": object{"fn": "Spécimen", "fnt": "SPECIMEN", "gn": "Ada", "gnt": "ADA"},
		group: []any{event},
	}
}

const specimenUVCI = "URN:UVCI:01:XX:SPECIMEN0001#D"

// icvpContent is a card of the present generation.
func icvpContent() object {
	return object{
		"n": "Ada Spécimen", "dob": "1990-02-03", "s": "female", "ntl": "XXA",
		"v": []any{object{"vp": "YellowFeverProductd2c75a15ed309658b3968519ddb31690", "dt": "2026-01-11", "bo": "LOT1", "is": "XXA"}},
	}
}
