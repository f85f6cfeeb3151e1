// Package vdsnc writes ICAO's Visible Digital Seals for Non-Constrained environments.
package vdsnc
