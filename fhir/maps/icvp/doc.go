// Package icvp maps the core data set to WHO's digital International Certificate of
// Vaccination or Prophylaxis and back (smart-icvp, ICVPMin 0.3.0; International Health
// Regulations, Annexes 6 and 7).
//
// Owner: fhir/maps. It sees one vaccination, writes a card and no bytes, and keeps nothing.
// The member names of the generations are the business of formats/icvp.
//
// Invariants: a card names a product of WHO's prequalified list by its id, which is never
// derived from a vaccine or a brand; disease and manufacturer follow from it and are not
// written. What the card needs and the core data set does not say is an error issue.
// Issues name the element, the rule and the repair, and no value.
//
// What has no place: the core data set has no nationality, no guardian and no name of the
// clinician (a health worker's id is none), so a card says none of them and its issuer
// alone. An identifier goes into the card only if its system says that it is the number
// of a travel or national document; health ids and registry ids are nobody's business at
// a border.
//
// A yellow fever vaccination is valid from the tenth day on, for life (Annex 7).
package icvp
