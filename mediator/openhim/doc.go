// Package openhim is the gateway as a mediator of OpenHIM: it registers, reports that it is
// alive, takes settings from the console within bounds, and answers what comes through
// OpenHIM in the form that OpenHIM records (application/json+openhim).
//
// Owner of the management API's wire format, of who a request through OpenHIM comes from,
// and of what OpenHIM gets to keep of an answer. It knows nothing of certificates but ids.
//
// Who may call: the core, by the name in its client certificate. Whom it stands for: nobody,
// unless the request carries the basic credentials that only routes of private channels
// have; then the client that OpenHIM authenticated, if the issuers file knows it. A core
// repeats the headers it has stored, and a client may have put another's name among them:
// repetitions (parentid, taskid, clientid) count only with credentials that belong to one
// client. From any other peer no header of OpenHIM is looked at. How often: as for every
// issuer, at the issuer's rate. What they learn: what the client would learn directly.
//
// Invariants: the outer status is 200; status words, names, timestamps and bodies are such
// that no core loses its record over them; "error", which makes OpenHIM send the request
// again, is set only where a repetition can help and nothing was produced, so that it is
// never the answer to a refusal; orchestrations and properties hold no personal data, no
// digest, no address of a peer. What the console sets is used only when all of it is within
// the bounds of our own configuration; else what was in use stays. The core may be away for
// any time: requests are served all the same.
//
// The package must never log or return the password of the management API, the credentials
// of the channels or an Authorization header.
package openhim
