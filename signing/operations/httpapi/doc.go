// Package httpapi is how operators reach the key register: JSON over the mutual TLS
// listener of the signing service.
//
// Who may call, with what proof: clients whose verified certificate carries a name on the
// list of operators. Issuance callers, which share the listener, get 403 before a body is
// read, and an audit entry. Two different operators stand behind every change but a stop.
//
// How often: a second apart, with bursts of thirty, an operator; the emergency stop has a
// limit of its own, so that it cannot be used up. A client over its limit gets 429 and no
// audit entry.
//
// How large: registrations of at most 32 keys, 384 KiB; everything else 4 KiB.
//
// What they learn: the register, which is certificates and dates, the operations and who
// proposed and approved them, and the stop. No route touches a private key or takes
// anything to sign.
package httpapi
