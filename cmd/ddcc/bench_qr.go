package main

import (
	"bytes"
	"errors"
	"image/png"

	"github.com/boombuler/barcode"
	boombuler "github.com/boombuler/barcode/qr"
	rsc "rsc.io/qr"

	"github.com/trustedparty/ddcc-gateway/formats/qr"
)

// qrImage row: the same texts, level and picture size through other libraries.
func (b *bench) qrImage() (measurement, error) {
	c, err := b.codecs()
	if err != nil {
		return measurement{}, err
	}
	images := []func(string) ([]byte, error){qrImage, rscImage, boombulerImage}
	var works []func(int) error
	for _, image := range images {
		if err := readsBack(image, c.texts[0]); err != nil {
			return measurement{}, err
		}
		works = append(works, func(i int) error { _, err := image(c.texts[i%len(c.texts)]); return err })
	}
	rates, err := b.oneCore(works...)
	if err != nil {
		return measurement{}, err
	}
	return measurement{value: rates[0].wall, note: rates[0].note(), live: []benchReference{
		{Name: "rsc.io/qr, one fixed mask", Value: rates[1].wall.Median},
		{Name: "boombuler/barcode and image/png", Value: rates[2].wall.Median},
	}}, nil
}

// readsBack makes sure that a picture is a picture of its text.
func readsBack(image func(string) ([]byte, error), text string) error {
	picture, err := image(text)
	if err != nil {
		return err
	}
	read, err := decodePNG(picture)
	if err == nil && read != text {
		err = errors.New("a QR image does not show its text")
	}
	return err
}

func rscImage(text string) ([]byte, error) {
	code, err := rsc.Encode(text, rsc.Q)
	if err != nil {
		return nil, err
	}
	code.Scale = qr.DefaultScale
	return code.PNG(), nil
}

func boombulerImage(text string) ([]byte, error) {
	code, err := boombuler.Encode(text, boombuler.Q, boombuler.AlphaNumeric)
	if err != nil {
		return nil, err
	}
	side := code.Bounds().Dx() * qr.DefaultScale
	if code, err = barcode.Scale(code, side, side); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = png.Encode(&out, code)
	return out.Bytes(), err
}
