// Package fhiraudit shows entries of the audit log as FHIR R4 AuditEvents, for peers that
// collect those. The log is the record; an event is a copy that names its entry.
//
// Owner: the platform. The mapping is a pure function of origin and record: the same entry
// gives the same bytes and the same id, every time. The types hold only the elements the
// mapping writes: the model library the gateway uses elsewhere writes both forms of
// AuditEvent.entity.detail.value[x] at once, which R4 forbids.
//
// It must never see more than the log holds, and adds nothing personal to it.
package fhiraudit
