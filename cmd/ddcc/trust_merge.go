package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/trustedparty/ddcc-gateway/trust"
	"github.com/trustedparty/ddcc-gateway/verification"
)

// trustFlags say whose keys are believed.
type trustFlags struct {
	Trust          string `help:"Trust list as published under /trust/trustlist.json." placeholder:"FILE"`
	ForeignSources string `and:"foreign" help:"File that describes the trust lists of others (docs/foreign-trust.md), whose keys count, too." placeholder:"FILE"`
	ForeignDir     string `and:"foreign" help:"Folder into which these lists were imported." placeholder:"DIR"`
}

// verifier trusts the keys of both. What the own list calls revoked is not trusted either if
// others still list it. A list of others that is stale is named and not used.
func (f trustFlags) verifier(s streams) (*verification.Verifier, error) {
	if f.Trust == "" && f.ForeignSources == "" {
		return nil, usage("nobody is trusted: give --trust, or --foreign-sources and --foreign-dir")
	}
	v := &verification.Verifier{}
	var own trust.TrustList
	if f.Trust != "" {
		raw, err := readFile(s, f.Trust)
		if err != nil {
			return nil, err
		}
		if own, err = trust.ParseList(raw, trust.Limits{}); err != nil {
			return nil, usage("trust list: %v", err)
		}
		v.List, v.Own = own.List, &own
	}
	if f.ForeignSources == "" {
		return v, nil
	}
	store, err := openForeign(f.ForeignSources, f.ForeignDir)
	if err != nil {
		return nil, err
	}
	for _, status := range store.Status() {
		if status.Stale {
			fmt.Fprintf(s.stderr, "ddcc: the trust list %s is stale and not used; see ddcc trust status\n", status.Name)
		}
	}
	v.Keys = store
	v.List, err = mergeLists(own, store.List())
	return v, err
}

// mergeLists adds the keys of others to the own ones. A key that both have is taken as the
// own list has it.
func mergeLists(own trust.TrustList, others *trust.List) (*trust.List, error) {
	known := map[[sha256.Size]byte]bool{} // own keys, trusted or revoked
	for _, key := range own.Revoked {
		known[key.Thumbprint] = true
	}
	entries := own.List.Entries()
	for _, entry := range entries {
		known[sha256.Sum256(entry.DSC.Raw)] = true
	}
	options := trust.Options{Anchors: append(own.List.Anchors(), others.Anchors()...)}
	for _, entry := range others.Entries() {
		if known[sha256.Sum256(entry.DSC.Raw)] {
			continue
		}
		options.DirectTrust = options.DirectTrust || entry.CSCA == nil
		entries = append(entries, entry)
	}
	list, refusals := trust.NewList(entries, options)
	for _, refusal := range refusals { // each list was accepted alone
		return nil, fmt.Errorf("merging the trust lists: %w", refusal)
	}
	return list, nil
}
