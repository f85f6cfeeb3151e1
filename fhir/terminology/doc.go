// Package terminology holds the code tables the gateway needs to issue and read DDCC
// certificates: code systems, value sets, concept maps and countries, embedded in the
// binary so that no terminology server is needed.
//
// Owner: fhir. The package is a leaf; it imports the standard library alone.
//
// Resolve is the way from a code to the code that another format has for it: over the
// maps of the code's use, never to one that says more. Translate looks into one map.
//
// Invariants: the tables never change at run time and are parsed once, on first use.
// Every code a value set or map names is in the code system tables. System URIs and
// ids are accepted in every spelling listed in systems.go and answered in one, the
// canonical of the guide's current release. A code is compared as it is: FHIR codes are
// case sensitive. Lookups do not allocate, but for CodeByName, which folds free text, and
// Resolve, which collects.
// The package never sees a person's data.
//
// Sources, all read 2026-11 and restated in our own layout under data/:
//
//   - valuesets.tsv, maps.tsv, the small systems of codesystems.tsv: WHO DDCC
//     implementation guide who.ddcc 1.0.0 (FHIR 4.0.1), revision a2f245a2 of 2025-03-10.
//     Where the guide contradicts itself we correct it; each difference is listed in
//     data/CORRECTIONS.md and checked by a test. Ids starting with "gateway-" are ours.
//   - ICD-11 and ICHI codes with short titles: WHO, through the same guide and its list
//     of vaccinable conditions.
//   - CVX codes and names: CDC, through the same guide (public domain).
//   - Medicinal product codes and names: EU community register and EU DCC value sets,
//     through the same guide.
//   - Marketing authorisation holders, the EU's value sets and encoding instructions:
//     eu-dcc-valuesets, revision 60ea3d8.
//   - ATC codes: index of the WHO Collaborating Centre for Drug Statistics Methodology, as
//     published FHIR value sets restate it.
//   - Prequalified products: WHO smart-icvp 0.3.0 of 2025-10-17; names shortened.
//   - DIVOC and ICAO vaccine names: through the same guide.
//   - administrative-gender: HL7 FHIR R4 4.0.1 (CC0).
//   - countries.tsv: ISO 3166-1, the 249 entries current in 2026-11; English short forms
//     in plain use. Kosovo has no entry; its customary XK and XKX are user-assigned.
//
// Licences: codes and the relations between them are facts. SNOMED CT, LOINC and ATC texts
// are licensed works and are left out, so Display knows none for these systems; a
// deployment shows the text that came with the data. ICD-11 short titles are WHO's.
package terminology
