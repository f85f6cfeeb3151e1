package server

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/trustedparty/ddcc-gateway/fhir/server/store"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

var (
	errNotFound = fault.New(fault.NotFound, "not-found", "There is no such resource here.")
	// errGone is rendered with status 410 (FHIR R4, http.html#read).
	errGone    = fault.New(fault.NotFound, "gone", "The resource was deleted.")
	errBusy    = fault.New(fault.Unavailable, "busy", "As many requests of this kind as fit are being processed.").Retry(busyRetry)
	errStore   = fault.New(fault.Unavailable, "store", "The store of resources cannot be used at the moment.").Retry(busyRetry)
	errAddress = fault.New(fault.NotFound, "no-such-route", "There is nothing at this address.")
	errVersion = fault.New(fault.PreconditionFailed, "version", "The resource has another version.").With(fault.Issue{
		Path: "If-Match", Rule: "version", Detail: "The version named is not the current one.",
		Fix: "Read the resource, apply the change to what was read, and send it with the new ETag.",
	})
	errExists = fault.New(fault.PreconditionFailed, "exists", "The resource exists already.").With(fault.Issue{
		Path: "If-None-Match", Rule: "exists", Detail: "The update was to be made only if there is no such resource.",
		Fix: "Leave the header out to replace the resource.",
	})
	errSelective = fault.New(fault.PreconditionFailed, "multiple-matches", "The criteria are not selective enough.").With(fault.Issue{
		Rule: "multiple-matches", Detail: "More than one resource matches the criteria.", Fix: "Add criteria, or name the resource by its id.",
	})
	errCriteria = fault.New(fault.PreconditionFailed, "criteria", "The criteria do not say which resource is meant.").With(fault.Issue{
		Rule: "criteria", Detail: "A conditional request needs at least one search parameter.", Fix: "Send criteria such as identifier=system|value.",
	})
)

// malformed is a fault of one place of the input.
func malformed(path, rule, detail, fix string) *fault.Error {
	return fault.New(fault.Malformed, rule, "The request cannot be read.").With(fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// refused is a fault of an input that can be read but not accepted.
func refused(path, rule, detail, fix string) *fault.Error {
	return fault.New(fault.Rule, rule, "The request cannot be carried out as it is.").With(fault.Issue{Path: path, Rule: rule, Detail: detail, Fix: fix})
}

// public gives a failure of the store words for the caller.
func public(err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "too-slow", "The request took too long and was given up.").Retry(busyRetry).Because(err)
	case errors.Is(err, store.ErrUnavailable):
		return errStore.Because(err)
	}
	return err
}

// inEntry moves the places of a fault into an entry of a Bundle.
func inEntry(err error, index int) error {
	f := fault.From(public(err))
	at := "Bundle.entry[" + strconv.Itoa(index) + "]"
	issues := f.Issues
	if len(issues) == 0 {
		issues = []fault.Issue{{Rule: f.Code, Detail: f.Detail}}
	}
	moved := *f
	moved.Issues = make([]fault.Issue, len(issues))
	for i, issue := range issues {
		issue.Path = at + placeInEntry(issue.Path)
		moved.Issues[i] = issue
	}
	return moved.Because(err)
}

// placeInEntry is the place within an entry of what a header or a resource says alone.
func placeInEntry(path string) string {
	if member := map[string]string{
		"If-Match": "ifMatch", "If-None-Match": "ifNoneMatch", "If-None-Exist": "ifNoneExist", "If-Modified-Since": "ifModifiedSince",
	}[path]; member != "" {
		return ".request." + member
	}
	switch _, rest, found := strings.Cut(path, "."); {
	case path == "":
		return ""
	case strings.HasPrefix(path, "request."):
		return "." + path
	case found:
		return ".resource." + rest
	case path == "resourceType", path[0] == '/', 'A' <= path[0] && path[0] <= 'Z': // in it, or all of it
		return ".resource"
	default: // a parameter of a search
		return ".request.url"
	}
}
