//go:build linux

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// clinical is an Immunization of usual size.
const clinical = `{"resourceType":"Immunization","id":"ID","meta":{"profile":["http://smart.who.int/ddcc/StructureDefinition/DDCCImmunization"]},"identifier":[{"system":"urn:example:lot","value":"ID"}],
"extension":[{"url":"http://smart.who.int/ddcc/StructureDefinition/DDCCEventBrand","valueCoding":{"system":"urn:example:brand","code":"x"}}],
"status":"completed","vaccineCode":{"coding":[{"system":"http://id.who.int/icd/release/11/mms","code":"XM0GQ8"}]},"patient":{"reference":"Patient/p"},"occurrenceDateTime":"2026-05-08",
"location":{"display":"Clinic Specimen"},"lotNumber":"PT123F","performer":[{"actor":{"reference":"Practitioner/doc"}}],"protocolApplied":[{"authority":{"reference":"Organization/moh"},"targetDisease":[{"coding":[{"system":"http://id.who.int/icd/release/11/mms","code":"RA01"}]}],"doseNumberPositiveInt":1}]}`

// each runs use from several callers and reports how often a second.
func each(b *testing.B, callers int, use func(i int64)) {
	b.Helper()
	var next atomic.Int64
	b.ResetTimer()
	start, before := time.Now(), processor(b)
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				use(i)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "requests/s")
	b.ReportMetric(float64((processor(b)-before).Microseconds())/float64(b.N), "cpu-us/op")
}

// processor is the time the process has used, which says more than a rate where the
// machine has other work.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkServer(b *testing.B) {
	for _, callers := range []int{1, 16} {
		for name, use := range map[string]func(p peer) func(int64){
			"create": func(p peer) func(int64) {
				return func(i int64) {
					p.want(201, "POST", "/Immunization", strings.ReplaceAll(clinical, "ID", fmt.Sprint(i)))
				}
			},
			"conditional-create": func(p peer) func(int64) {
				return func(i int64) {
					p.want(201, "POST", "/Immunization", strings.ReplaceAll(clinical, "ID", fmt.Sprint(i)), "If-None-Exist", fmt.Sprintf("identifier=urn:example:lot|%d", i))
				}
			},
			"read": func(p peer) func(int64) {
				p.want(201, "PUT", "/Immunization/ID", clinical)
				return func(int64) { p.want(http.StatusOK, "GET", "/Immunization/ID", "") }
			},
			"search": func(p peer) func(int64) {
				for i := range 200 {
					p.want(201, "POST", "/Immunization", strings.ReplaceAll(clinical, "ID", fmt.Sprint(i)))
				}
				return func(i int64) {
					p.want(http.StatusOK, "GET", fmt.Sprintf("/Immunization?identifier=urn:example:lot|%d", i%200), "")
				}
			},
			"transaction-of-5": func(p peer) func(int64) {
				return func(i int64) {
					entries := []string{entryOf(urnA, "POST", "Patient", ada)}
					for range 4 {
						entries = append(entries, entryOf("", "POST", "Immunization", strings.NewReplacer("ID", fmt.Sprint(i), "Patient/p", urnA).Replace(clinical)))
					}
					p.want(http.StatusOK, "POST", "", bundleOf("transaction", entries...))
				}
			},
		} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				p := peerOf(b, open(b, nil))
				each(b, callers, use(p))
			})
		}
	}
}
