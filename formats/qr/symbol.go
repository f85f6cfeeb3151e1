package qr

import "sync"

// A Symbol is a finished QR Code symbol. It is not modified after Encode and may be
// shared by goroutines.
type Symbol struct {
	Version int   // 1 to 40
	Level   Level // error correction
	Mask    int   // data mask pattern, 0 to 7 (ISO/IEC 18004 Table 10)
	Size    int   // modules a side: 17 + 4·Version

	modules bitmap
}

// Encode makes the smallest symbol that holds text at the level, with the mask of the
// lowest penalty; among equals the mask with the lowest number. The errors are
// *TooLongError, ErrEmpty, ErrNotUTF8 and ErrLevel; none holds text.
func Encode(text string, level Level) (*Symbol, error) {
	return EncodeMax(text, level, MaxVersion)
}

// EncodeMax is Encode for a symbol of at most maxVersion. It also fails with ErrVersion.
func EncodeMax(text string, level Level, maxVersion int) (*Symbol, error) {
	if err := check(text, level, maxVersion); err != nil {
		return nil, err
	}
	m, err := modeOf(text)
	if err != nil {
		return nil, err
	}
	version, err := smallestVersion(m, len(text), level, maxVersion)
	if err != nil {
		return nil, err
	}
	s := &Symbol{Version: version, Level: level}
	s.draw([]Segment{{mode: m, text: text}})
	return s, nil
}

// check refuses what no mode can hold before anything reads the whole text.
func check(text string, level Level, maxVersion int) error {
	switch {
	case level >= levels:
		return ErrLevel
	case maxVersion < MinVersion || maxVersion > MaxVersion:
		return ErrVersion
	case text == "":
		return ErrEmpty
	case len(text) > Capacity(maxVersion, level):
		return &TooLongError{Length: len(text), Max: Capacity(maxVersion, level), Level: level, MaxVersion: maxVersion}
	}
	return nil
}

// Black reports whether the module in column x and row y, counted from the top left
// corner, is dark. Outside the symbol is the quiet zone, which is light.
func (s *Symbol) Black(x, y int) bool {
	if x < 0 || y < 0 || x >= s.Size || y >= s.Size {
		return false
	}
	return s.modules.black(x, y)
}

// scratch is the memory that drawing one symbol needs and the next one can use again.
type scratch struct {
	codewords [maxCodewords]byte
	bitValues [bitRoom]byte // zero from noBit on
	bitmaps   [4][maxBitmapWords]uint64
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// draw fills in Size, Mask and modules.
func (s *Symbol) draw(segments []Segment) {
	l := layoutFor(s.Version, s.Level)
	mem := scratches.Get().(*scratch)
	defer scratches.Put(mem)
	clear(mem.bitmaps[:])

	codewords := appendData(mem.codewords[:0], segments, s.Version, l.dataBytes)
	spread(&mem.bitValues, l.appendCheck(codewords))

	plain, plainT := newBitmap(l.size, mem.bitmaps[0][:]), newBitmap(l.size, mem.bitmaps[1][:])
	l.place(plain, &mem.bitValues)
	plainT.transpose(plain)

	trial, trialT := newBitmap(l.size, mem.bitmaps[2][:]), newBitmap(l.size, mem.bitmaps[3][:])
	lowest := 0
	for mask := range masks {
		trial.xor(plain, l.fixed[mask])
		trialT.xor(plainT, l.fixedT[mask])
		if p := penalty(trial, trialT); mask == 0 || p < lowest {
			s.Mask, lowest = mask, p
		}
	}
	s.Size = l.size
	s.modules = makeBitmap(l.size)
	s.modules.xor(plain, l.fixed[s.Mask])
}
