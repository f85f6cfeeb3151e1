// Package divoc maps certificates of DIVOC, the platform of India's CoWIN and of other
// states, back to the core data set (DDCC IG, CertDIVOCtoCoreDataSet). The gateway reads
// the format and never writes it.
//
// Owner: fhir/maps. It sees the content of one certificate, whose signature is somebody
// else's concern, and keeps nothing of it.
//
// Invariants: codes are translated by table alone; every event gives one reading; what
// keeps an event from being used is an error of its reading.
package divoc
