// Package gateway has the tests of signer and gateway as real processes with a real HAPI
// server, both ways: certificates are delivered to HAPI while everything is killed, and HAPI
// notifies the gateway of vaccinations (docs/delivery.md, docs/notifications.md).
package gateway
