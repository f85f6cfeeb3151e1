package pdf

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	gobidi "github.com/go-text/typesetting/bidi"
	"pgregory.net/rapid"
)

func TestNumbersAreExactToThreeDecimals(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 1: "1", -1.5: "-1.5", 0.001: "0.001", 595.2756: "595.276", -0.0004: "0", 12.05: "12.05"} {
		if got := number(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.Float64Range(-1e6, 1e6).Draw(rt, "v")
		s := number(v)
		back, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Abs(back-v) > 0.000501 || strings.ContainsAny(s, "eE") {
			rt.Fatalf("%v is written %s: %v", v, s, err)
		}
	})
}

func TestTextStringIsUTF16(t *testing.T) {
	t.Parallel()
	if got, want := textString("Aé𝄞"), "<FEFF004100E9D834DD1E>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A matrix is covered exactly: every dark module by one rectangle, no light one.
func TestMatrixIsCoveredOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 25).Draw(rt, "size")
		dark := rapid.SliceOfN(rapid.Bool(), size*size, size*size).Draw(rt, "modules")
		p := &page{}
		Matrix{Size: size, Module: 2, Black: func(x, y int) bool { return dark[y*size+x] }}.fill(p, 0, 0)
		covered := make([]int, size*size)
		for line := range strings.Lines(string(p.content)) {
			f := strings.Fields(line)
			if f[len(f)-1] != "re" {
				continue
			}
			var n [4]int
			for i := range n {
				n[i], _ = strconv.Atoi(f[i])
			}
			for y := n[1]; y < n[1]+n[3]; y++ {
				for x := n[0]; x < n[0]+n[2]; x++ {
					covered[(size-1-y)*size+x]++
				}
			}
		}
		for i, d := range dark {
			if want := map[bool]int{true: 1}[d]; covered[i] != want {
				rt.Fatalf("module %d is covered %d times, want %d", i, covered[i], want)
			}
		}
	})
}

// Examples of UAX #9 §3.4, rule L2, as levels and the order they give.
func TestVisualOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		levels []gobidi.Level
		want   []int
	}{
		{nil, []int{}},
		{[]gobidi.Level{0, 1, 0}, []int{0, 1, 2}},
		{[]gobidi.Level{0, 1, 2, 1, 0}, []int{0, 3, 2, 1, 4}},
		{[]gobidi.Level{1, 2, 1}, []int{2, 1, 0}},
		{[]gobidi.Level{1, 2, 3, 2, 1}, []int{4, 1, 2, 3, 0}},
		{[]gobidi.Level{2, 1, 2, 2}, []int{2, 3, 1, 0}},
	} {
		pieces := make([]piece, len(c.levels))
		for i, level := range c.levels {
			pieces[i].span = &span{level: level}
		}
		if got := visualOrder(pieces); !slices.Equal(got, c.want) {
			t.Errorf("levels %v give %v, want %v", c.levels, got, c.want)
		}
	}
}

func TestBaseDirection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text    string
		without bool // direction if there are no letters
		want    bool
	}{
		{"Jane محمد", true, false}, {"محمد Jane", false, true}, {"2021-03-15", true, true}, {"2021", false, false},
		{"12 שלום", false, true}, {"\u2066abc\u2069 שלום", false, true}, {"", true, true},
	} {
		if got := baseDirection([]rune(c.text), c.without); got != c.want {
			t.Errorf("%+q: right to left is %v", c.text, got)
		}
	}
}

func TestRightToLeftLanguages(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]bool{
		"ar": true, "ar-EG": true, "he": true, "fa": true, "ur": true, "dv": true, "ps": true, "uz-Arab": true,
		"en": false, "zh-Hant": false, "uz": false, "": false, "not a tag": false,
	} {
		if got := RightToLeft(lang); got != want {
			t.Errorf("%q: %v", lang, got)
		}
	}
}
