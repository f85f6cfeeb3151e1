// Package outage proves what an outage of a key store does to a whole system: gateway and
// signer run as processes, clients with certificates issue through the gateway, the test
// takes the key store away and gives it back.
//
// Happens runs one outage and prints what it measured. StopAndCheck then proves that
//
//   - no certificate is wrong: each verifies with the published keys, and the audit log has
//     exactly one signature for it and none for anything else;
//   - no intent is lost: every submission that was refused got one certificate under its
//     Idempotency-Key, and the registry has no intent without an end;
//   - who must wait is told so: 503 as OperationOutcome with a code and Retry-After, and
//     nothing about our insides; never another error;
//   - readiness says what is true, verifiers get the keys all the time, and no process was
//     restarted.
package outage
