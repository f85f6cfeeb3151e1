// Package shc maps the core data set to the content of a SMART Health Card and back (HL7
// SMART Health Cards: Vaccination & Testing Implementation Guide 1.0, data minimised
// profiles; DDCC IG, CertSHCtoCoreDataSet).
//
// Owner: fhir/maps. It sees one health event, writes claims and no bytes, and keeps
// nothing.
//
// Invariants: codes are translated by table alone. What the card needs and the core data
// set does not say is an error issue; nothing is filled in.
//
// # The vaccine's code
//
// The guide takes CVX, GTIN, SNOMED CT, ICD-11 and the Australian register's codes, and
// wants one code, the most precise known, that tells apart vaccines with different
// schedules. So the first of these that there is goes into the card:
//
//  1. the brand or the vaccine, if it is in CVX, GTIN or the Australian register;
//  2. the CVX code that means the brand or the vaccine and no more, if a table has one;
//  3. the brand, if it is in SNOMED CT or ICD-11 or translates to ICD-11;
//  4. the vaccine, if it is in SNOMED CT or ICD-11.
//
// In 3 and 4, what names only a type of COVID-19 vaccine goes together with a manufacturer
// in MVX or GLN, as the guide demands, or not at all.
//
// A brand in ICD-11 has several CVX codes where formulations differ (Comirnaty,
// Spikevax), and the core data set does not say which was given: the ICD-11 code goes.
//
// # The name
//
// The core data set has one text for the name, and nothing in it says which part is the
// family's. The card's name is that text; the guide allows it where the parts are not
// known. The maps that read a text's order into parts would be wrong for half the world.
package shc
