// Package foreign is what the maps back to the core data set share: a view of a foreign
// certificate's content with a path at hand, texts brought into the form of the core data
// set, and codes translated by table.
//
// Owner: fhir/maps. The content comes from outside: its size, depth and number of events
// are bounded here, and no value of it ever stands in an issue.
//
// Invariants: nothing is invented. A code that no table knows stays as it was, with a
// warning; a text that is too long or a date that does not exist is left out, with an
// error.
package foreign
