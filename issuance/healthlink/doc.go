// Package healthlink makes SMART Health Links (version 1) for issued certificates and answers
// those who follow them.
//
// Owner: issuance. An issuer asks for a link; the files behind it are encrypted under a new
// key, the ciphertext is stored, and the text of the link, which holds the key, is given
// back once. Whoever holds the text asks for the manifest and fetches the files; the key
// stays with him.
//
// Invariants:
//   - The key of a link is never stored, and neither is anything a link was made of in the
//     clear: plain files, the label, the passcode, the id in the URL. What is stored opens
//     nothing.
//   - Every document expires with its link, and every link expires. The row of a link is
//     written last: a creation that did not come to its end leaves ciphertext without a
//     link, which expires as well.
//   - A link with a passcode takes Attempts wrong ones in its life, then it is gone for
//     ever. An attempt is taken by a conditional write before the passcode is looked at and
//     given back after it was right, so that racing guesses get no more. An attempt that a
//     crash left open lapses; its outcome was never told.
//   - The slow hash runs only for links that exist and have attempts left, and for at most
//     Deps.Hashes of them at a time.
//   - A link that never was, is withdrawn, expired or used up has one answer.
//   - A certificate that is revoked loses its links, also those that are being made.
//
// The package must never see a signing key. It writes no log; the recipient's name, which
// the specification wants in each request, is checked and forgotten.
package healthlink
