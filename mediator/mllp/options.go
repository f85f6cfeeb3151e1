package mllp

import (
	"time"

	"github.com/trustedparty/ddcc-gateway/fhir/hl7v2"
)

func (o Options) withDefaults() Options {
	setDefault(&o.MaxMessage, hl7v2.MaxMessage)
	setDefault(&o.MaxConnections, 256)
	setDefault(&o.MaxPerIssuer, 32)
	setDefault(&o.MaxHandshakes, 32)
	setDefault(&o.HandshakeTimeout, 10*time.Second)
	setDefault(&o.IdleTimeout, 10*time.Minute)
	setDefault(&o.FrameTimeout, 30*time.Second)
	setDefault(&o.WriteTimeout, 30*time.Second)
	setDefault(&o.DrainTimeout, 20*time.Second)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return o
}

func setDefault[T time.Duration | int](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}
