package ccda

import (
	"crypto/sha256"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

// BundleType is what kind of Bundle Convert writes (http://hl7.org/fhir/bundle-type).
type BundleType string

// The kinds of Bundles.
const (
	Collection  BundleType = "collection"  // the default
	Document    BundleType = "document"    // a FHIR document: identifier and timestamp, Composition first
	Transaction BundleType = "transaction" // to be posted to a server, repeatable: see docs/ccda.md
)

// Options say what Convert writes. The zero value is a collection of everything.
type Options struct {
	Type BundleType

	// Vaccinations keeps who the patient is (identifiers, name, gender, birth date), the
	// vaccinations that were given, and who gave them where, and nothing else: a small
	// Bundle for maps.EventsFromResources, without what no certificate needs. The Bundle is
	// a collection.
	Vaccinations bool

	// IDKey makes ids of resources unguessable (HMAC-SHA-256). Without it they are plain
	// digests of the identifiers, and whoever can list a nation's numbers can find one by
	// its id. The same key gives the same ids.
	IDKey []byte
}

// Result is a converted document.
type Result struct {
	Bundle []byte // FHIR R4 JSON
	// Issues say what was not kept, or not as it was: warnings for clinical statements,
	// information for details. Paths are like XPath; no text repeats a value.
	Issues []fault.Issue
}

// Convert reads one C-CDA document. The error is a fault: Malformed (not XML that we read,
// not a clinical document), TooLarge (beyond a limit) or Rule (a document about nobody or
// several people, or one that cannot be a FHIR document).
func Convert(raw []byte, o Options) (Result, error) {
	switch o.Type {
	case "":
		o.Type = Collection
	case Collection, Document, Transaction:
	default:
		return Result{}, fault.New(fault.Internal, "ccda-options", "The Bundle type is unknown.")
	}
	if o.Vaccinations && o.Type != Collection {
		return Result{}, fault.New(fault.Internal, "ccda-options", "Vaccinations alone are a collection.")
	}
	doc, err := parse(raw)
	if err != nil {
		return Result{}, err
	}
	c := &converter{
		options: o, digest: sha256.Sum256(raw), doc: doc.root, anchors: doc.anchors,
		taken: map[string]*resource{}, texts: map[*node]string{},
	}
	if err := c.document(); err != nil {
		return Result{}, err
	}
	if c.full() {
		return Result{}, limitFault("fhir-size", "The document points to its texts so often that its resources become too large.")
	}
	bundle, err := c.bundle()
	if err != nil {
		return Result{}, err
	}
	c.leftovers(c.doc)
	return Result{Bundle: bundle, Issues: c.issues.list()}, nil
}

// converter holds one conversion.
type converter struct {
	options   Options
	digest    [sha256.Size]byte // of the document: the namespace of ids without identifiers
	doc       *node             // ClinicalDocument
	anchors   map[string]*node  // by ID, the first of each
	texts     map[*node]string  // of anchors, resolved once
	resources []*resource       // in the order of the Bundle
	taken     map[string]*resource
	issues    issueLog
	patient   *resource
	copied    int // bytes of narrative that statements point to
	written   int // bytes of resources
}

// maxWritten bounds the resources: the same text may belong to many.
const maxWritten = 6 * MaxBytes

func (c *converter) full() bool { return c.written > maxWritten }

// document converts header and body.
func (c *converter) document() error {
	if err := c.recordTarget(); err != nil {
		return err
	}
	if c.options.Vaccinations {
		c.vaccinationsOnly()
		return nil
	}
	c.composition()
	return nil
}
