// Package vdsnc maps the core data set to the message of an ICAO VDS-NC seal and back
// (ICAO Technical Report VDS-NC 1.1; DDCC IG, CertICAOtoCoreDataSet).
//
// Owner: fhir/maps. It sees one health event, writes claims and no bytes, and keeps
// nothing.
//
// Invariants: codes are translated by table alone. What the seal needs and the core data
// set does not say is an error issue; nothing is filled in.
//
// # The name
//
// The seal has the name as in the travel document: capital Latin letters, the primary
// identifier, two spaces, the secondary identifier (Doc 9303-3 §4.6). The core data set
// has one text. Where a comma or two spaces divide it, that is the division; otherwise the
// whole name is the primary identifier, as Doc 9303-3 has it for names that the issuer
// cannot divide. A name in a script without a transliteration table is an error: the
// issuer has to give the spelling of the travel document.
//
// # The document
//
// A proof of testing needs kind and number of a document, a proof of vaccination the
// number of a travel document or the birth date. The system of the core data set's
// identifier says what the number is: HL7 table 0203 with PPN, CZ or DL
// (http://terminology.hl7.org/CodeSystem/v2-0203#PPN), or the namespace of a state's
// passports (http://hl7.org/fhir/sid/passport-CHE). Another identifier, a national or a
// health id, never goes into a seal.
package vdsnc
