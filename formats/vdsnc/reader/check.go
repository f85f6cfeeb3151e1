package reader

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Check holds the content against TR VDS-NC §2.3 and its JSON schemas. A problem that is
// no warning means that the content cannot be relied on to say what it should; what real
// issuers do and readers understand is a warning. The order is that of the paths.
func (m *Message) Check() []Problem {
	c := &checker{}
	message, _ := m.Data["msg"].(map[string]any)
	c.object("data", m.Data, dataMembers)
	if header, ok := m.Data["hdr"].(map[string]any); ok {
		c.object("data.hdr", header, headerMembers)
	}
	switch m.Type {
	case typeVaccination:
		c.object("data.msg", message, vaccinationMembers)
		c.identified(message)
		c.dosesInOrder(message)
	case typeTest:
		c.object("data.msg", message, testMembers)
		c.timesInOrder(message)
	}
	return c.problems
}

type checker struct{ problems []Problem }

func (c *checker) error(path, rule string) {
	c.problems = append(c.problems, Problem{Path: path, Rule: rule})
}

func (c *checker) warning(path, rule string) {
	c.problems = append(c.problems, Problem{Path: path, Rule: rule, Warning: true})
}

// object checks the members of one object, which may be nil.
func (c *checker) object(path string, object map[string]any, members map[string]member) {
	for _, name := range slices.Sorted(maps.Keys(members)) {
		rule := members[name]
		value, present := object[name]
		switch {
		case present:
			c.value(path+"."+name, value, rule)
		case rule.need == must:
			c.error(path+"."+name, "is required")
		case rule.need == should:
			c.warning(path+"."+name, "should be there")
		}
	}
	for name := range object {
		if _, known := members[name]; !known {
			c.warning(path, "has members that the specification does not know")
			return
		}
	}
}

func (c *checker) value(path string, value any, rule member) {
	switch {
	case rule.list:
		c.list(path, value, rule)
	case rule.members != nil:
		object, isObject := value.(map[string]any)
		if !isObject {
			c.error(path, "must be an object")
			return
		}
		c.object(path, object, rule.members)
	case rule.form != nil:
		rule.form(c, path, value)
	}
}

func (c *checker) list(path string, value any, rule member) {
	list, isList := value.([]any)
	if !isList || len(list) == 0 {
		c.error(path, "must be a list of at least one object")
		return
	}
	element := rule
	element.list = false
	for i, item := range list {
		c.value(fmt.Sprintf("%s[%d]", path, i), item, element)
	}
}

// identified: a name alone is no identity.
func (c *checker) identified(message map[string]any) {
	person, isObject := message["pid"].(map[string]any)
	if !isObject {
		return
	}
	_, hasNumber := person["i"]
	_, hasBirthDate := person["dob"]
	if !hasNumber && !hasBirthDate {
		c.error("data.msg.pid", "must have i, the number of a travel document, or dob")
	}
}

func (c *checker) dosesInOrder(message map[string]any) {
	events, _ := message["ve"].([]any)
	for i, item := range events {
		event, _ := item.(map[string]any)
		doses, _ := event["vd"].([]any)
		for j, item := range doses {
			dose, _ := item.(map[string]any)
			given, _ := dose["dvc"].(string)
			next, hasNext := dose["dvn"].(string)
			if hasNext && next < given {
				c.warning(fmt.Sprintf("data.msg.ve[%d].vd[%d].dvn", i, j), "is before dvc")
			}
		}
	}
}

func (c *checker) timesInOrder(message map[string]any) {
	times, _ := message["dat"].(map[string]any)
	sampledText, _ := times["sc"].(string)
	reportedText, _ := times["ri"].(string)
	var sampled, reported time.Time
	if sampled.UnmarshalText([]byte(sampledText)) != nil || reported.UnmarshalText([]byte(reportedText)) != nil {
		return // said before
	}
	if reported.Before(sampled) {
		c.warning("data.msg.dat.ri", "is before sc")
	}
}
