package wallet

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"
)

// paint is a colour of the pass.
type paint color.RGBA

var (
	background = paint{16, 62, 92, 255}
	foreground = paint{255, 255, 255, 255}
)

// css writes the colour as pass.json wants it.
func (p paint) css() string { return fmt.Sprintf("rgb(%d,%d,%d)", p.R, p.G, p.B) }

// pictureFiles are the pictures of every pass. Apple asks for the icon (29 points); the logo
// stands beside the name of the organisation (at most 50 points high).
var pictureFiles = sync.OnceValues(func() ([]file, error) {
	var files []file
	for _, p := range []struct {
		name string
		size int
	}{{"icon.png", 29}, {"icon@2x.png", 58}, {"icon@3x.png", 87}, {"logo.png", 50}, {"logo@2x.png", 100}} {
		data, err := emblem(p.size)
		if err != nil {
			return nil, fmt.Errorf("wallet: draw %s: %w", p.name, err)
		}
		files = append(files, file{p.name, data})
	}
	return files, nil
})

// emblem draws a tick in a ring on the background of the pass: nobody's trade mark, and none
// of the emblems that the Geneva Conventions protect.
func emblem(size int) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	unit := 1 / float64(size)
	for y := range size {
		for x := range size {
			at := point{(float64(x) + 0.5) * unit, (float64(y) + 0.5) * unit}
			// A pixel is covered by as much of its width as lies inside the shape.
			cover := min(max(0.5-distance(at)/unit, 0), 1)
			img.SetRGBA(x, y, mix(cover))
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// point is a place in the square from 0 to 1.
type point struct{ x, y float64 }

// distance is that to the edge of the shape, negative inside.
func distance(p point) float64 {
	const half = 0.045 // of the width of a stroke
	ring := math.Abs(math.Hypot(p.x-0.5, p.y-0.5)-0.40) - half
	tick := min(toSegment(p, point{0.30, 0.52}, point{0.45, 0.66}), toSegment(p, point{0.45, 0.66}, point{0.71, 0.37})) - half*1.2
	return min(ring, tick)
}

func toSegment(p, a, b point) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	t := min(max(((p.x-a.x)*dx+(p.y-a.y)*dy)/(dx*dx+dy*dy), 0), 1)
	return math.Hypot(p.x-a.x-t*dx, p.y-a.y-t*dy)
}

// mix gives the share of the foreground over the background.
func mix(share float64) color.RGBA {
	channel := func(from, to uint8) uint8 {
		return uint8(math.Round(float64(from) + share*(float64(to)-float64(from))))
	}
	return color.RGBA{channel(background.R, foreground.R), channel(background.G, foreground.G), channel(background.B, foreground.B), 255}
}
