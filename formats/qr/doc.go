// Package qr draws QR Code symbols (ISO/IEC 18004:2015) for certificate texts.
//
// Owner: formats. A text made of the 45 characters of the QR alphanumeric set, such
// as "HC1:" followed by Base45 (RFC 9285), becomes one alphanumeric segment; any other
// UTF-8 text becomes one byte segment. A caller that knows its text can cut it into byte
// and numeric segments itself, as the "shc:/" of a SMART Health Card wants. The symbol is
// of the smallest version that fits and carries, of the eight data masks, the one with the
// lowest penalty (§7.8.3).
//
// Invariants:
//   - A Symbol that is returned decodes to exactly the text that was given.
//   - Encode is deterministic: the same text and level give the same modules and, for
//     the same scale and quiet zone, the same PNG bytes.
//   - Errors name sizes, levels and versions. They never hold any part of the text,
//     because the text is a person's health certificate.
//   - The only state is a set of tables that depend on version and level alone: at most
//     one per version and level, built on first use.
//
// The package must never see a key, a network or a store; it knows nothing of what the
// text means.
package qr
