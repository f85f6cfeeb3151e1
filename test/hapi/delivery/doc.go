// Package delivery has the tests of issuance/delivery against a real HAPI server.
package delivery
