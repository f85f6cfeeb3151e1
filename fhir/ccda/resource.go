package ccda

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"

	"github.com/trustedparty/ddcc-gateway/internal/platform/uuid8"
)

// resource is one entry of the Bundle.
type resource struct {
	kind    string
	id      string
	body    *object // without resourceType and id
	primary *object // the Identifier that made the id; nil when it came from the place
	sum     [sha256.Size]byte
	knownAs string // what tells two mentions under one identifier apart
}

func (r *resource) url() string { return "urn:uuid:" + r.id }

// uuid names what its parts name.
func (c *converter) uuid(parts ...string) string {
	var h hash.Hash
	if len(c.options.IDKey) > 0 {
		h = hmac.New(sha256.New, c.options.IDKey)
	} else {
		h = sha256.New()
	}
	return uuid8.From(uuid8.Digest(h, append([]string{"ccda"}, parts...)...))
}

// idOf is the id of what has an identifier: the same in every document.
func (c *converter) idOf(kind string, identifier *object) string {
	system, _ := identifier.get("system").(string)
	value, _ := identifier.get("value").(string)
	return c.uuid(kind, system, value)
}

// event adds a clinical statement. One that repeats another under the same identifier is
// the same; one that differs from it gets an id by its place and loses the identifier, as
// it cannot be both.
func (c *converter) event(kind string, at *node, body *object) *resource {
	identifier := firstIdentifier(body)
	written := appendJSON(nil, body)
	c.written += len(written)
	if identifier == nil {
		return c.keep(&resource{kind: kind, id: c.uuid(kind, string(c.digest[:]), at.position()), body: body})
	}
	r := &resource{kind: kind, id: c.idOf(kind, identifier), body: body, primary: identifier, sum: sha256.Sum256(written)}
	same := c.taken[r.id]
	switch {
	case same == nil:
		return c.keep(r)
	case same.sum == r.sum:
		return same
	}
	c.warn(at, RuleDuplicate, "Another statement has the same identifier and says something else.", "Give each statement an id of its own.")
	body.drop("identifier")
	return c.keep(&resource{kind: kind, id: c.uuid(kind, string(c.digest[:]), at.position()), body: body})
}

// party adds a person, organisation, place, device or product. Whoever is mentioned
// several times is one, and keeps what any mention says. What has no identifier is known
// by its content.
func (c *converter) party(kind string, at *node, body *object) *resource {
	identifier := firstIdentifier(body)
	if identifier == nil {
		if len(body.members) == 0 {
			return nil
		}
		written := appendJSON(nil, body)
		c.written += len(written)
		id := c.uuid(kind, string(c.digest[:]), string(written))
		if same := c.taken[id]; same != nil {
			return same
		}
		return c.keep(&resource{kind: kind, id: id, body: body})
	}
	r := &resource{kind: kind, id: c.idOf(kind, identifier), body: body, primary: identifier}
	if name := body.get(known[kind]); name != nil {
		r.knownAs = string(appendJSON(nil, name))
	}
	same := c.taken[r.id]
	switch {
	case same == nil:
		c.written += len(appendJSON(nil, body))
		return c.keep(r)
	case same.knownAs == "" || r.knownAs == "" || same.knownAs == r.knownAs:
		same.body.fill(body)
		same.knownAs = firstOf(same.knownAs, r.knownAs)
		return same
	}
	c.warn(at, RuleDuplicate, "Something else stands under the same identifier.", "Give each person, organization and encounter an id of its own.")
	body.drop("identifier")
	return c.party(kind, at, body)
}

func (c *converter) keep(r *resource) *resource {
	c.taken[r.id] = r
	c.resources = append(c.resources, r)
	return r
}

func (o *object) drop(name string) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members = append(o.members[:i], o.members[i+1:]...)
			return
		}
	}
}

func firstIdentifier(body *object) *object {
	list, _ := body.get("identifier").([]*object)
	for _, one := range list {
		if one.has("value") {
			return one
		}
	}
	return nil
}

// known is by what two mentions under one identifier are told apart.
var known = map[string]string{"Practitioner": "name", "Organization": "name", "Location": "name", "Device": "deviceName", "Encounter": "period"}
