package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/trustedparty/ddcc-gateway/fhir/client"
	"github.com/trustedparty/ddcc-gateway/internal/platform/config"
	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
	"github.com/trustedparty/ddcc-gateway/mediator"
	"github.com/trustedparty/ddcc-gateway/mediator/structuremap"
	"github.com/trustedparty/ddcc-gateway/mediator/transaction"
)

// structureMapSettings say which carriers a server of structure maps reads.
type structureMapSettings struct {
	Table  string `help:"JSON file that names the structure map of each questionnaire, and of resources Bundles, that the gateway's own maps do not read (docs/fhir.md); empty: none." placeholder:"FILE"`
	Server string `help:"Name of the server of these maps in the file fhir-servers." placeholder:"NAME"`
}

// validate checks the settings and the table.
func (s structureMapSettings) validate(servers []fhirServer) error {
	if s.Table == "" {
		if s.Server != "" {
			return config.Invalid("structure-map-server", "is set without structure-map-table")
		}
		return nil
	}
	var errs []error
	if _, known := find(servers, s.Server); !known {
		errs = append(errs, config.Invalid("structure-map-server", "names no server of the file fhir-servers"))
	}
	if _, err := s.table(); err != nil {
		errs = append(errs, config.Invalid("structure-map-table", "%v", err))
	}
	return errors.Join(errs...)
}

func (s structureMapSettings) table() (structuremap.Table, error) {
	var t structuremap.Table
	if err := config.DecodeFile(s.Table, &t); err != nil {
		return t, err
	}
	return t, t.Validate()
}

func find(servers []fhirServer, name string) (fhirServer, bool) {
	for _, one := range servers {
		if one.Name == name {
			return one, true
		}
	}
	return fhirServer{}, false
}

// validateIntake checks what settings and issuers file say of FHIR servers.
func (s *settings) validateIntake(p mediator.Policy) error {
	servers, err := s.FHIR.list()
	if err != nil {
		return nil //nolint:nilerr // the settings of the servers say so themselves
	}
	errs := []error{s.Maps.validate(servers)}
	if len(servers) == 0 && len(s.HL7v2.Admissions) > 0 {
		errs = append(errs, config.Invalid("hl7v2-admissions", "is set, but there is no FHIR server that they could be written to (fhir-servers)"))
	}
	for _, issuer := range p.Issuers {
		if _, known := find(servers, issuer.FHIR); issuer.FHIR != "" && !known {
			errs = append(errs, config.Invalid("issuers", "issuer %q: fhir names no server of the file fhir-servers", issuer.ID))
		}
	}
	return errors.Join(errs...)
}

// fhirClient opens a server of the file.
func (g *gateway) fhirClient(one fhirServer, secret []byte) (*client.Client, error) {
	report := func(err error) {
		g.process.Log.Warn("TLS files of a FHIR server", slog.String("server", one.Name), slog.Any("error", err))
	}
	return one.client(g.settings.FHIR.Timeout, g.settings.Environment.IsProduction(), report, fhirTransport(one.Base, transaction.DigestKey(secret)))
}

// fhirRecords are the servers whose notifications are taken, by name.
type fhirRecords map[string]*client.Client

var errServer = fault.New(fault.Internal, "fhir-server", "The issuer's FHIR server is not configured.")

// Read implements mediator.Records.
func (r fhirRecords) Read(ctx context.Context, server, kind, id string) ([]byte, error) {
	c, known := r[server]
	if !known {
		return nil, errServer
	}
	out, err := c.Read(ctx, kind, id)
	return out.Raw, err
}

// intake opens what the mediator reads beside requests: records of FHIR servers, and
// structure maps. Either is nil when nothing asks for it.
func (g *gateway) intake(p mediator.Policy, secret []byte) (mediator.Records, mediator.StructureMaps, error) {
	servers, err := g.settings.FHIR.list()
	if err != nil {
		return nil, nil, err
	}
	records := fhirRecords{}
	for _, issuer := range p.Issuers {
		if one, known := find(servers, issuer.FHIR); known && records[one.Name] == nil {
			if records[one.Name], err = g.fhirClient(one, secret); err != nil {
				return nil, nil, err
			}
		}
	}
	maps, err := g.structureMaps(servers, secret)
	if len(records) == 0 {
		return nil, maps, err
	}
	return records, maps, err
}

func (g *gateway) structureMaps(servers []fhirServer, secret []byte) (mediator.StructureMaps, error) {
	s := g.settings.Maps
	one, known := find(servers, s.Server)
	if s.Table == "" || !known {
		return nil, nil //nolint:nilnil // the gateway's own maps read everything
	}
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	server, err := g.fhirClient(one, secret)
	if err != nil {
		return nil, err
	}
	return structuremap.New(server, table)
}
