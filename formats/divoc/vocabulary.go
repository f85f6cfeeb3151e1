package divoc

// credential is the node at the top.
var credential = &object{
	types: [][]string{
		{"VerifiableCredential", "ProofOfVaccinationCredential"},
		{"VerifiableCredential", "ProofOfTestCertificateCredential"},
	},
	mayID: true,
	members: map[string]term{
		"issuer":            {iri: nsVC + "issuer", form: iri},
		"issuanceDate":      {iri: nsVC + "issuanceDate", form: dateTime},
		"expirationDate":    {iri: nsVC + "expirationDate", form: dateTime},
		"credentialSubject": {iri: nsVC + "credentialSubject", form: one, object: person},
		"evidence":          {iri: nsVC + "evidence", form: many, object: event},
		"nonTransferable":   {iri: nsVac + "nonTransferable"},
	},
}

var address = term{iri: nsSchema + "PostalAddress", form: one, object: &object{
	members: with(with(with(
		schema("streetAddress", "addressRegion", "postalCode", "addressCountry"),
		nsVac+"addressLine2", "streetAddress2"),
		nsVac+"city", "city"),
		nsVac+"district", "district"),
}}

var person = newPerson()

func newPerson() *object {
	members := schema("name", "gender", "nationality")
	with(members, nsSchema+"id", "refId", "uhid")
	with(members, nsSchema+"Number", "age")
	with(members, nsSchema+"date", "dob")
	members["address"] = address
	return &object{types: [][]string{{"Person"}}, mayID: true, members: members}
}

// event is a vaccination or a test.
var event = newEvent()

func newEvent() *object {
	members := map[string]term{}
	with(members, nsSchema+"id", "certificateId", "batch", "vaccine", "manufacturer", "icd11Code",
		"testType", "disease", "sampleOrigin", "result")
	with(members, nsSchema+"url", "feedbackUrl", "infoUrl")
	with(members, nsSchema+"date", "date", "effectiveStart", "effectiveUntil")
	with(members, nsSchema+"doseValue", "dose", "totalDoses")
	with(members, nsSchema+"name", "prophylaxis", "testName")
	with(members, nsSchema+"dateTime", "sampleCollectionTimestamp", "resultTimestamp", "expiry")
	members["verifier"] = term{iri: nsVac + "verifier", form: one, object: &object{
		members: with(schema("name"), nsSchema+"image", "sign-image"),
	}}
	facility := with(schema("name"), nsSchema+"image", "seal-image")
	facility["address"] = address
	members["facility"] = term{iri: nsVac + "Facility", form: one, object: &object{members: facility}}
	return &object{types: [][]string{{"Vaccination"}, {"TestDetails"}}, needID: true, members: members}
}

// proofOptions are what a signature says about itself.
var proofOptions = &object{
	types: [][]string{{proofRSA}, {proofEd25519}},
	members: map[string]term{
		"created":            {iri: nsTerms + "created", form: dateTime},
		"proofPurpose":       {iri: nsSecurity + "proofPurpose", form: iri},
		"verificationMethod": {iri: nsSecurity + "verificationMethod", form: iri},
	},
}
