// Package hl7v2 has the test of messages of patient administration against a real HAPI
// server.
package hl7v2
