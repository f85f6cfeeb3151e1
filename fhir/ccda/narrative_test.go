package ccda

import (
	"strings"
	"testing"

	"github.com/trustedparty/ddcc-gateway/internal/platform/fault"
)

func TestNarrative(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in, want string
		issues   int
	}{
		{`plain &lt;b&gt; &amp; "text"`, `plain &lt;b&gt; &amp; &quot;text&quot;`, 0},
		{`<paragraph ID="p1" styleCode="Bold xRed">A<br/>B</paragraph>`, `<p id="p1" class="Bold xRed">A<br/>B</p>`, 0},
		{`<content styleCode="Italics">i</content><content styleCode="Underline">u</content><sub>1</sub><sup>2</sup>`, `<i class="Italics">i</i><span class="Underline">u</span><sub>1</sub><sup>2</sup>`, 0},
		{`<list listType="ordered"><caption>C</caption><item>1<list><item>2</item></list></item></list>`, `<p>C</p><ol><li>1<ul><li>2</li></ul></li></ol>`, 0},
		{`<list> stray <item>1</item></list>`, `<ul><li> stray </li><li>1</li></ul>`, 0},
		{`<table width="100%"><caption>C</caption> <colgroup><col span="2"/></colgroup><thead><tr><th colspan="2" onclick="x">H</th></tr></thead><tbody><tr><td style="x">1</td><td/></tr></tbody></table>`,
			`<table width="100%"><caption>C</caption><colgroup><col span="2"/></colgroup><thead><tr><th colspan="2">H</th></tr></thead><tbody><tr><td>1</td><td></td></tr></tbody></table>`, 0},
		{`<linkHtml href="https://example.org/?a=1&amp;b=2">l</linkHtml><linkHtml href="#p1">m</linkHtml>`, `<a href="https://example.org/?a=1&amp;b=2">l</a><a href="#p1">m</a>`, 0},
		{`<linkHtml href="javascript:alert(1)">l</linkHtml><linkHtml href=" JavaScript:x">m</linkHtml><linkHtml href="data:text/html,x">n</linkHtml>`, `<a>l</a><a>m</a><a>n</a>`, 3},
		{`<script>alert(1)</script>`, `alert(1)`, 1},
		{`<iframe xmlns="http://www.w3.org/1999/xhtml" src="x">inner</iframe>text`, `text`, 1},
		{`<paragraph><img src="https://example.org/spy.png" onerror="x"/>text</paragraph>`, `<p>text</p>`, 1},
		{`<content ID="bad id">a</content><content ID="&quot;x">b</content>`, `<span>a</span><span>b</span>`, 0},
		{`<content ID="there2">a</content><content ID="there2">b</content>`, `<span id="there2">a</span><span>b</span>`, 0},
		{`a<footnoteRef IDREF="f1"/><footnote ID="f1">note</footnote>`, `a<a href="#f1"></a><span id="f1">note</span>`, 0},
		{`<renderMultiMedia referencedObject="m1"><caption>C</caption></renderMultiMedia>`, `<span><span>C</span></span>`, 1},
		{`<!-- comment --><?target x?>a<![CDATA[<b>]]>`, `a&lt;b&gt;`, 0},
	} {
		c, n := read(t, "<text>"+tc.in+"</text>")
		o := c.narrative(n)
		got, _ := o.get("div").(string)
		if want := `<div xmlns="http://www.w3.org/1999/xhtml">` + tc.want + `</div>`; got != want || len(c.issues.found) != tc.issues {
			t.Errorf("%s\n got %s\nwant %s\n%+v", tc.in, got, want, c.issues.found)
		}
	}
	for _, blank := range []string{``, ` `, `<paragraph/>`, `<table><tbody><tr><td> </td></tr></tbody></table>`} {
		c, n := read(t, "<text>"+blank+"</text>")
		if c.narrative(n) != nil {
			t.Errorf("%q is a narrative", blank)
		}
	}
}

// A narrative longer than a FHIR string is kept; one that is pointed to is not copied.
func TestLongNarrative(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("word ", maxString/4)
	c, n := read(t, `<text ID="all">`+long+`</text>`)
	if div, _ := c.narrative(n).get("div").(string); len(div) < len(long) {
		t.Errorf("%d bytes of %d", len(div), len(long))
	}
	c, n = read(t, `<code code="a"><originalText><reference value="#all"/></originalText></code><text ID="all">`+long+`</text>`)
	if o := c.concept(n); o.has("text") || len(c.issues.found) != 1 || c.issues.found[0].Severity != fault.SeverityInformation {
		t.Errorf("%+v", c.issues.found)
	}
	c, n = read(t, `<value xsi:type="ST">`+long+`</value>`)
	o := newObject()
	if c.value(o, n); o.has("valueString") || len(c.issues.found) != 1 {
		t.Errorf("%+v", c.issues.found)
	}
}
