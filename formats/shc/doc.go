// Package shc writes SMART Health Cards (spec.smarthealth.cards).
package shc
