package main

import (
	"math"
	"testing"
	"time"
)

func TestSpreadOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rounds []float64
		want   spread
	}{
		"none":         {nil, spread{}},
		"one":          {[]float64{7}, spread{7, 7, 7}},
		"odd":          {[]float64{9, 1, 5}, spread{5, 1, 9}},
		"even":         {[]float64{8, 2, 4, 100}, spread{6, 2, 100}},
		"one outlier":  {[]float64{10, 10, 1000, 10, 10}, spread{10, 10, 1000}},
		"all the same": {[]float64{3, 3}, spread{3, 3, 3}},
	} {
		if got := spreadOf(test.rounds); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestSpreadOfLeavesTheRoundsAlone(t *testing.T) {
	t.Parallel()
	rounds := []float64{3, 1, 2}
	spreadOf(rounds)
	if rounds[0] != 3 || rounds[1] != 1 || rounds[2] != 2 {
		t.Errorf("the rounds were reordered: %v", rounds)
	}
}

func TestPercentileIsTheNearestRank(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(100 - i) // 100 … 1
	}
	for _, test := range []struct {
		values []time.Duration
		p      float64
		want   time.Duration
	}{
		{nil, 99, 0},
		{[]time.Duration{5}, 0, 5},
		{[]time.Duration{5}, 100, 5},
		{[]time.Duration{20, 10}, 50, 10},
		{[]time.Duration{20, 10}, 51, 20},
		{[]time.Duration{50, 15, 40, 20, 35}, 30, 20}, // the textbook's example
		{[]time.Duration{50, 15, 40, 20, 35}, 40, 20},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 99.5, 100},
		{hundred, 100, 100},
		{hundred, 0, 1},
	} {
		if got := percentile(test.values, test.p); got != test.want {
			t.Errorf("percentile %v of %d values: got %d, want %d", test.p, len(test.values), got, test.want)
		}
	}
}

func TestRatio(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		measured, other float64
		fewer           bool
		want            float64
	}{
		{6000, 3000, false, 2},
		{3000, 6000, false, 0.5},
		{30, 60, true, 2},
		{60, 30, true, 0.5},
		{60, 60, true, 1},
		{60, 0, false, 0}, // no goal
		{0, 60, true, 0},  // nothing measured must not look infinitely good
		{0, 60, false, 0},
	} {
		if got := ratio(test.measured, test.other, test.fewer); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%v: got %v", test, got)
		}
	}
}
