// Package dgcgateway is a client of the gateways through which countries exchange document
// signer certificates: the DGCG of the EU and the TNG of the WHO, which speak the same
// protocol.
//
// Owner of the wire to a national or WHO gateway: upload and withdrawal of the own DSCs,
// download of the trust list. The CMS messages come finished from the signer, which alone
// holds the upload key; package trust/foreign authenticates what is downloaded.
//
// Invariants:
//   - mutual TLS, and the gateway's key is pinned besides its CA; no redirect is followed;
//   - nothing is sent but a DSC that passes the lints, signed by an upload certificate of
//     the country, exactly as the certificate that the caller names: the gateway itself
//     does not check dates, key usage and key identifiers;
//   - a call may be repeated: what is there already, or gone already, is a success;
//   - every answer is bounded, and its text reaches only the log.
//
// It must never see a private key other than that of its TLS connection, which it uses
// through crypto/tls, or personal data. docs/national-gateway.md is for operators.
package dgcgateway
