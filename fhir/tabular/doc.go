// Package tabular reads files with many health events: one FHIR resource a line (NDJSON), or
// one row of answers to WHO's questionnaires a line (CSV).
//
// Owner of the two file forms. Memory is bounded by one line, whatever the size of the file.
// A line that cannot be read is a record with findings, and the next line is read; only a
// file whose lines cannot be told apart ends early. The same line gives the same resource,
// byte for byte.
//
// It must never see what an event means: rules of content belong to package fhir and its
// maps. No text of its findings repeats a value.
package tabular
