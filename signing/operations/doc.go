// Package operations is four-eyes control over the key register, and the emergency stop.
//
// Owner: signing. An operator proposes an operation, another one approves it, and only
// then the register changes. An operator is the name in a client certificate on the list
// of operators. One operator alone can stop all signing; ending a stop takes two.
//
//	pending ──approved──▶ executing ──▶ done, or failed when the register refuses by then
//	   ├──withdrawn by an operator
//	   └──expired after a day
//
// Invariants:
//   - No key operation without an audit entry before it. The result is audited before it
//     is recorded; a stop, which is the safe direction, is the one thing that happens
//     even when the audit log does not work, and then says so.
//   - Every refusal is audited with its reason.
//   - Proposer and approver differ. Approving is one conditional write: of N approvers one
//     wins. What was approved is carried out once: the register knows an operation that is
//     repeated, and whoever finds an approved operation whose process died finishes it.
//   - A resume ends the stop it was proposed for and no later one.
//   - A stop that could not be stored holds in this process until it is. A stop that could
//     not be looked for over a minute counts as standing.
//
// It must never see claims of certificates or private keys. Audit entries hold ids,
// operator names and words from closed sets.
package operations
