// Package mllp carries HL7 v2 messages over TCP with the Minimal Lower Layer Protocol
// (HL7 transport specification: MLLP, release 1), always inside mutual TLS.
//
// Owner of the listener, its framing and its limits. What a message means is the Handler's.
//
// Who may call: clients whose certificate is that of an issuer, found out in the handshake;
// everybody else is refused there. How often: the handler's matter. How large: MaxMessage;
// how many: MaxConnections in all, MaxPerIssuer, and MaxHandshakes of an address before it is
// known who calls; how slow: a message must arrive whole
// within FrameTimeout of its first byte, a connection without messages ends after
// IdleTimeout. What they learn: the answers to their own messages.
//
// Invariants: the messages of a connection are processed one after the other, each answer
// before the next message is read. A message of which a byte is missing is never processed.
// One that was read whole is processed to its end, whatever becomes of its connection: its
// sender repeats what was not answered, and the handler must not mind. When the server ends,
// messages being processed are answered first.
//
// The package must never write a byte of a message to a log.
package mllp
