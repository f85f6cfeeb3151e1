// Package dcc maps the core data set to the payload of an EU Digital COVID Certificate and
// back (EU DCC schema 1.3.x, EU value sets and encoding instructions; DDCC IG,
// CertDCCtoCoreDataSet).
//
// Owner: fhir/maps. It sees one health event, writes claims and no bytes, and keeps
// nothing. Whoever asks for a certificate supplies its identifier (UVCI) and its issuer.
//
// Invariants: codes are translated by table alone (package terminology), and what has no
// translation, or several, is an error issue that leaves this format out. Texts are whole
// or refused, never cut; only the transliterated names may be cut, as the EU asks for.
// Issues name the element of the core data set (out) or of the certificate (back), the
// rule and the repair, and no value.
//
// # The vaccine
//
// The brand becomes mp. The holder ma is the one that the EU's encoding instructions name
// for mp; a holder of the core data set under the EU's list has to be that one, and where
// several products share a brand it says which. The vaccine chooses among the vp that the
// instructions allow for mp; a vaccine of another kind contradicts the brand. The disease
// may be missing: every mp is a COVID-19 vaccine.
//
// # Back
//
// A product becomes the ICD-11 brand only if that leads back to the same product. A kind
// of vaccine and the disease stay SNOMED CT (or ATC), which the certificate's codes are.
// A recovery is read as the positive nucleic acid test it rests on.
package dcc
