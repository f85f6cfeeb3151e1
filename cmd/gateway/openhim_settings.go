package main

import (
	"errors"
	"slices"
	"time"

	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/openhim"
)

// openhimSettings say how the gateway is a mediator of OpenHIM (docs/openhim.md). Taking
// requests from it and registering with it are independent of each other.
type openhimSettings struct {
	Name        string            `help:"Name in OpenHIM's client certificate; empty: no request comes through OpenHIM (docs/openhim.md)." placeholder:"NAME"`
	Credentials config.SecretFile `name:"channel-credentials" help:"File with the credentials that routes of OpenHIM's private channels have, one a line: CLIENT USER:PASSWORD, or USER:PASSWORD for a channel of several clients; without it OpenHIM carries requests for nobody." placeholder:"FILE"`
	URN         string            `name:"urn" default:"urn:mediator:ddcc-gateway" help:"Name of the mediator in OpenHIM." placeholder:"URN"`

	API         string            `name:"api" help:"Address of OpenHIM's management API; empty: the gateway does not register." placeholder:"https://HOST:PORT"`
	User        string            `help:"User of the management API." placeholder:"ADDRESS"`
	Password    config.SecretFile `help:"File with the user's password." placeholder:"FILE"`
	Auth        openhim.Auth      `default:"auto" enum:"auto,basic,token" help:"How the user is authenticated: basic, token (before 5.1), or auto: the first that is taken."`
	CA          string            `name:"ca" help:"PEM file with the CAs of the management API's certificate." placeholder:"FILE"`
	Pin         []string          `help:"SHA-256 of that certificate in hex, in place of its CA; give the present and the next one." placeholder:"HEX"`
	Address     string            `help:"HOST:PORT under which OpenHIM reaches this gateway; it is part of the registration." placeholder:"HOST:PORT"`
	Version     string            `help:"Version to register as, x.y.z; empty: that of the build. OpenHIM takes changed definitions for a higher one alone." placeholder:"X.Y.Z"`
	Heartbeat   time.Duration     `default:"10s" help:"How often OpenHIM is told that the gateway is alive, at most 30s."`
	ConfigEvery time.Duration     `default:"1m" help:"How often the settings of OpenHIM's console are asked for; changes come at once to one replica alone."`
}

// maxHeartbeat is what OpenHIM asks for at least; after a minute it takes a mediator for dead.
const maxHeartbeat = 30 * time.Second

// Validate checks what needs no file.
func (s openhimSettings) Validate() error {
	var errs []error
	bad := func(flag, format string, args ...any) {
		errs = append(errs, config.Invalid("openhim-"+flag, format, args...))
	}
	if s.Name == "" && s.Credentials.IsSet() {
		bad("name", "is missing, but there are channel credentials")
	}
	if err := openhim.CheckURN(s.URN); err != nil {
		bad("urn", "%v", err)
	}
	if s.Heartbeat <= 0 || s.Heartbeat > maxHeartbeat {
		bad("heartbeat", "must be positive and not longer than %v", maxHeartbeat)
	}
	if s.ConfigEvery <= 0 {
		bad("config-every", "must be positive")
	}
	if s.Version != "" {
		if err := openhim.CheckVersion(s.Version); err != nil {
			bad("version", "%v", err)
		}
	}
	return errors.Join(append(errs, s.validateAPI())...)
}

func (s openhimSettings) validateAPI() error {
	if s.API == "" {
		if s.User != "" || s.Password.IsSet() || s.CA != "" || len(s.Pin) > 0 || s.Address != "" {
			return config.Invalid("openhim-api", "is missing, but other settings of the registration are there")
		}
		return nil
	}
	var errs []error
	base, err := openhim.CheckBase(s.API)
	if err != nil {
		errs = append(errs, config.Invalid("openhim-api", "%v", err))
	} else if base.Scheme == "https" {
		if err := s.trust().Validate(); err != nil {
			errs = append(errs, config.Invalid("openhim-ca", "or openhim-pin: %v", err))
		}
	}
	for flag, set := range map[string]bool{"openhim-user": s.User != "", "openhim-password": s.Password.IsSet(), "openhim-address": s.Address != ""} {
		if !set {
			errs = append(errs, config.Invalid(flag, "is required with openhim-api"))
		}
	}
	return errors.Join(errs...)
}

// within refuses what only the whole configuration can tell.
func (s openhimSettings) within(all *settings, policy mediator.Policy) error {
	var errs []error
	if base, err := openhim.CheckBase(s.API); err == nil && base.Scheme != "https" && all.Environment.IsProduction() {
		errs = append(errs, config.Invalid("openhim-api", "must be https in production"))
	}
	clients := false
	for _, i := range policy.Issuers {
		clients = clients || i.OpenHIMClient != ""
		if s.Name != "" && i.Certificate == s.Name {
			errs = append(errs, config.Invalid("openhim-name", "is the certificate name of an issuer; OpenHIM is none itself"))
		}
	}
	if clients && s.Name == "" {
		errs = append(errs, config.Invalid("openhim-name", "is missing, but issuers have an openhimClient"))
	}
	return errors.Join(errs...)
}

func (s openhimSettings) trust() openhim.Trust { return openhim.Trust{CA: s.CA, Pins: s.Pin} }

func (s openhimSettings) credentials() (openhim.Credentials, error) {
	if !s.Credentials.IsSet() {
		return nil, nil
	}
	text, err := s.Credentials.Read()
	if err != nil {
		return nil, config.Invalid("openhim-channel-credentials", "%v", err)
	}
	c, err := openhim.ParseCredentials(text)
	if err != nil {
		return nil, config.Invalid("openhim-channel-credentials", "%v", err)
	}
	return c, nil
}

// client reads the files of the management API. It connects to nothing.
func (s openhimSettings) client() (*openhim.Client, error) {
	password, err := s.Password.Read()
	if err != nil {
		return nil, config.Invalid("openhim-password", "%v", err)
	}
	o := openhim.ClientOptions{Base: s.API, User: s.User, Password: password, Auth: s.Auth, Clock: time.Now}
	if base, err := openhim.CheckBase(s.API); err == nil && base.Scheme == "https" {
		if o.TLS, err = s.trust().TLS(time.Now); err != nil {
			return nil, config.Invalid("openhim-ca", "%v", err)
		}
	}
	client, err := openhim.NewClient(o)
	if err != nil {
		return nil, config.Invalid("openhim-api", "%v", err)
	}
	return client, nil
}

// registration is what OpenHIM is told; endpoints are the names of FHIR servers.
func (s openhimSettings) registration(build string, b openhim.Bounds) (openhim.Registration, error) {
	version := s.Version
	if version == "" {
		version = openhim.Version(build)
	}
	r, err := openhim.NewRegistration(openhim.Identity{URN: s.URN, Version: version, Address: s.Address}, b)
	if err != nil {
		return r, config.Invalid("openhim-address", "%v", err)
	}
	return r, nil
}

// checkClients refuses credentials that would carry requests for nobody.
func (s openhimSettings) checkClients(policy mediator.Policy) error {
	credentials, err := s.credentials()
	if err != nil {
		return nil //nolint:nilerr // check says so
	}
	for _, client := range credentials.Clients() {
		if !slices.ContainsFunc(policy.Issuers, func(i mediator.IssuerPolicy) bool { return i.OpenHIMClient == client }) {
			return config.Invalid("openhim-channel-credentials", "names a CLIENT that is no issuer's openhimClient")
		}
	}
	return nil
}

// check opens everything that run would open.
func (s openhimSettings) check() error {
	_, credentialsErr := s.credentials()
	if s.API == "" {
		return credentialsErr
	}
	_, clientErr := s.client()
	_, registrationErr := s.registration("", openhim.Bounds{BatchEntries: 1, BatchConcurrency: 1})
	return errors.Join(credentialsErr, clientErr, registrationErr)
}
