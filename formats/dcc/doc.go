// Package dcc holds the payload of the EU Digital COVID Certificate (EU DCC schema 1.3.x),
// carried by an HCERT in sub-claim 1.
package dcc
