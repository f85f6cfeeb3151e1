// Package mediator is the edge for issuers: it reads what they post, asks issuance for
// certificates and says what became of each event.
//
// Owner of the request shapes of the DDCC implementation guide (operations
// $generateHealthCertificate and $validate, transaction Submit Health Event) and of who
// is an issuer. It maps and reports; it decides nothing about certificates and keeps no
// state.
//
// It must never pass a resource on that it could not read whole, and never answer an
// error with a success status. mediator/httpapi serves it over HTTP.
package mediator
