// Package maps turns what issuers send into the core data set, and the core data set
// into the DDCC document and the QR payload (DDCC IG, StructureMaps QRespToVSCoreDataSet,
// ResourcesToVSCoreDataSet, VSToAddBundle; test results, which the guide leaves out,
// follow its FSH mappings).
//
// Invariants: nothing is invented and nothing an issuer said is dropped without an
// issue; a document is a function of its input, byte for byte; no document is written
// from a core data set with errors. The package sees no key, network or store.
package maps
