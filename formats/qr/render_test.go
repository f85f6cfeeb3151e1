package qr

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"strings"
	"testing"
)

// Every pixel of every rendering is that of its module.
func TestPNGPixels(t *testing.T) {
	t.Parallel()
	for i, text := range []string{hc1Text(10, 1), hc1Text(300, 2), hc1Text(500, 3), hc1Text(1500, 4)} {
		s := mustEncode(t, text, Level(i%levels))
		for scale := 1; scale <= MaxScale; scale++ {
			quiet := (scale * 5) % 7
			if scale == MaxScale {
				quiet = MaxQuiet
			}
			t.Run(fmt.Sprintf("v%d/%dx%d", s.Version, scale, quiet), func(t *testing.T) {
				t.Parallel()
				comparePixels(t, s, scale, quiet)
			})
		}
	}
}

func comparePixels(t *testing.T, s *Symbol, scale, quiet int) {
	img, ok := mustImage(t, s, scale, quiet).(*image.Gray)
	if !ok {
		t.Fatal("not a greyscale image")
	}
	side := (s.Size + 2*quiet) * scale
	if b := img.Bounds(); b.Dx() != side || b.Dy() != side {
		t.Fatalf("image is %v, want a side of %d", b, side)
	}
	for y := range side {
		for x, got := range img.Pix[y*img.Stride:][:side] {
			want := uint8(255)
			if s.Black(x/scale-quiet, y/scale-quiet) {
				want = 0
			}
			if got != want {
				t.Fatalf("pixel (%d,%d) is %d, want %d", x, y, got, want)
			}
		}
	}
}

// Memory from a larger rendering must not show in the next one.
func TestPNGIsDeterministic(t *testing.T) {
	t.Parallel()
	small, large := mustEncode(t, "A", L), mustEncode(t, hc1Text(2000, 1), Q)
	first, err := small.PNG(3, 2)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := large.PNG(8, 8); err != nil {
			t.Fatal(err)
		}
		again, err := small.PNG(3, 2)
		if err != nil || !bytes.Equal(first, again) {
			t.Fatal("the same symbol gives another PNG")
		}
	}
}

func TestPNGIsSmall(t *testing.T) {
	t.Parallel()
	data, err := mustEncode(t, hc1Text(700, 1), Q).PNG(DefaultScale, DefaultQuiet)
	if err != nil || len(data) > 3000 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestPNGRefusals(t *testing.T) {
	t.Parallel()
	s := mustEncode(t, "A", L)
	for _, c := range []struct {
		scale, quiet int
		want         error
	}{
		{0, 4, ErrScale}, {-1, 4, ErrScale}, {17, 4, ErrScale}, {4, -1, ErrQuiet}, {4, 33, ErrQuiet},
	} {
		if data, err := s.PNG(c.scale, c.quiet); data != nil || !errors.Is(err, c.want) {
			t.Errorf("PNG(%d, %d): %v, want %v", c.scale, c.quiet, err, c.want)
		}
	}
}

// The drawing is read back, block by block.
func TestTerminal(t *testing.T) {
	t.Parallel()
	s := mustEncode(t, hc1Text(200, 1), Q)
	lines := strings.Split(strings.TrimSuffix(s.Terminal(), "\n"), "\n")
	if want := (s.Size + 2*DefaultQuiet + 1) / 2; len(lines) != want {
		t.Fatalf("%d lines, want %d", len(lines), want)
	}
	light := map[rune][2]bool{'█': {true, true}, '▀': {true, false}, '▄': {false, true}, ' ': {false, false}}
	for i, line := range lines {
		blocks := []rune(line)
		if len(blocks) != s.Size+2*DefaultQuiet {
			t.Fatalf("line %d is %d wide", i, len(blocks))
		}
		for x, block := range blocks {
			halves, known := light[block]
			for half, isLight := range halves {
				if !known || isLight == s.Black(x-DefaultQuiet, 2*i+half-DefaultQuiet) {
					t.Fatalf("line %d column %d shows %q", i, x, block)
				}
			}
		}
	}
}
