package divoc

// specimenStatements are those of the specimen, in canonical form.
const specimenStatements = `<did:Passport:X0000000> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Person> .
<did:Passport:X0000000> <https://schema.org/PostalAddress> _:c14n3 .
<did:Passport:X0000000> <https://schema.org/date> "1964-08-12" .
<did:Passport:X0000000> <https://schema.org/gender> "Female" .
<did:Passport:X0000000> <https://schema.org/id> "1" .
<did:Passport:X0000000> <https://schema.org/name> "Asha Specimen" .
<did:Passport:X0000000> <https://schema.org/nationality> "Utopian" .
<https://divoc.example/vaccine/2> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <vac:Vaccination> .
<https://divoc.example/vaccine/2> <https://schema.org/date> "2026-03-03T04:28:43.134Z" .
<https://divoc.example/vaccine/2> <https://schema.org/date> "2026-03-04" .
<https://divoc.example/vaccine/2> <https://schema.org/date> "2027-03-03" .
<https://divoc.example/vaccine/2> <https://schema.org/doseValue> "1"^^<http://www.w3.org/2001/XMLSchema#integer> .
<https://divoc.example/vaccine/2> <https://schema.org/doseValue> "2"^^<http://www.w3.org/2001/XMLSchema#integer> .
<https://divoc.example/vaccine/2> <https://schema.org/id> "2" .
<https://divoc.example/vaccine/2> <https://schema.org/id> "B1" .
<https://divoc.example/vaccine/2> <https://schema.org/id> "COVISHIELD" .
<https://divoc.example/vaccine/2> <https://schema.org/id> "Specimen Ltd" .
<https://divoc.example/vaccine/2> <https://schema.org/id> "XM0GQ8" .
<https://divoc.example/vaccine/2> <https://schema.org/name> "COVID-19 vaccine" .
<https://divoc.example/vaccine/2> <https://schema.org/url> "https://divoc.example/?2" .
<https://divoc.example/vaccine/2> <vac:Facility> _:c14n1 .
<https://divoc.example/vaccine/2> <vac:verifier> _:c14n2 .
_:c14n0 <https://schema.org/addressCountry> "UTO" .
_:c14n0 <https://schema.org/addressRegion> "" .
_:c14n0 <https://schema.org/postalCode> "" .
_:c14n0 <https://schema.org/streetAddress> "2" .
_:c14n0 <vac:addressLine2> "" .
_:c14n0 <vac:city> "" .
_:c14n0 <vac:district> "South" .
_:c14n1 <https://schema.org/PostalAddress> _:c14n0 .
_:c14n1 <https://schema.org/name> "Specimen Centre" .
_:c14n2 <https://schema.org/name> "Vaccinator Specimen" .
_:c14n3 <https://schema.org/addressCountry> "UTO" .
_:c14n3 <https://schema.org/addressRegion> "East" .
_:c14n3 <https://schema.org/postalCode> "12345"^^<http://www.w3.org/2001/XMLSchema#integer> .
_:c14n3 <https://schema.org/streetAddress> "1 Example Street" .
_:c14n3 <vac:addressLine2> "" .
_:c14n3 <vac:city> "Utopolis" .
_:c14n3 <vac:district> "North" .
_:c14n4 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/ProofOfVaccinationCredential> .
_:c14n4 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://www.w3.org/2018/credentials#VerifiableCredential> .
_:c14n4 <https://www.w3.org/2018/credentials#credentialSubject> <did:Passport:X0000000> .
_:c14n4 <https://www.w3.org/2018/credentials#evidence> <https://divoc.example/vaccine/2> .
_:c14n4 <https://www.w3.org/2018/credentials#issuanceDate> "2026-03-03T04:28:46.912+05:30"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
_:c14n4 <https://www.w3.org/2018/credentials#issuer> <https://divoc.example/> .
_:c14n4 <vac:nonTransferable> "true" .
`
