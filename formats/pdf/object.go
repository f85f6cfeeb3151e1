package pdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"sync"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"
)

// ref is the number of an indirect object (ISO 32000-1 §7.3.10); 0 is none.
type ref int

func (r ref) String() string { return strconv.Itoa(int(r)) + " 0 R" }

// file assembles the objects of a PDF file (ISO 32000-1 §7.5).
type file struct {
	buf     bytes.Buffer
	offsets []int // by object number less one; 0 is not written yet
}

// headerLine names the version; the bytes after it mark the file as binary (§7.5.2).
const headerLine = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"

func newFile() *file {
	f := &file{}
	f.buf.WriteString(headerLine)
	return f
}

// reserve gives the number of an object that is written later.
func (f *file) reserve() ref {
	f.offsets = append(f.offsets, 0)
	return ref(len(f.offsets))
}

// write adds an object with the number r.
func (f *file) write(r ref, body string) {
	f.begin(r)
	f.buf.WriteString(body)
	f.buf.WriteString("\nendobj\n")
}

func (f *file) begin(r ref) {
	f.offsets[r-1] = f.buf.Len()
	f.buf.WriteString(strconv.Itoa(int(r)))
	f.buf.WriteString(" 0 obj\n")
}

// add is write with a new number.
func (f *file) add(body string) ref {
	r := f.reserve()
	f.write(r, body)
	return r
}

// addStream adds a stream compressed with Flate (§7.4.4); entries are those of its
// dictionary beside Length and Filter.
func (f *file) addStream(entries string, data []byte) (ref, error) {
	var packed bytes.Buffer
	packed.Grow(len(data)/2 + 64)
	if err := compress(&packed, data); err != nil {
		return 0, err
	}
	return f.addRawStream(entries+"/Filter/FlateDecode", packed.Bytes()), nil
}

// compressionLevel trades size for time: one level more costs twice the time and saves 3 %.
const compressionLevel = 5

// deflaters are lent out because one is as large as several documents. Nothing of what
// was compressed before has an influence on what is compressed after Reset.
var deflaters sync.Pool

func compress(to *bytes.Buffer, data []byte) error {
	w, ok := deflaters.Get().(*zlib.Writer)
	if ok {
		w.Reset(to)
	} else {
		var err error
		if w, err = zlib.NewWriterLevel(to, compressionLevel); err != nil {
			return err
		}
	}
	defer deflaters.Put(w)
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}

func (f *file) addRawStream(entries string, data []byte) ref {
	r := f.reserve()
	f.begin(r)
	fmt.Fprintf(&f.buf, "<<%s/Length %d>>\nstream\n", entries, len(data))
	f.buf.Write(data)
	f.buf.WriteString("\nendstream\nendobj\n")
	return r
}

// finish writes the cross-reference table and the trailer (§7.5.4, §7.5.5). The file
// identifier is a digest of what precedes it.
func (f *file) finish(catalog, info ref) []byte {
	digest := sha256.Sum256(f.buf.Bytes())
	id := hex.EncodeToString(digest[:16])
	start := f.buf.Len()
	fmt.Fprintf(&f.buf, "xref\n0 %d\n0000000000 65535 f \n", len(f.offsets)+1)
	for _, offset := range f.offsets {
		fmt.Fprintf(&f.buf, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&f.buf, "trailer\n<</Size %d/Root %s/Info %s/ID[<%s><%s>]>>\nstartxref\n%d\n%%%%EOF\n",
		len(f.offsets)+1, catalog, info, id, id, start)
	return f.buf.Bytes()
}

// textString writes s as a text string in UTF-16BE (§7.9.2.2), in hexadecimal so that
// nothing needs escaping.
func textString(s string) string {
	return "<FEFF" + utf16Hex(s) + ">"
}

func utf16Hex(s string) string {
	return string(appendUTF16Hex(nil, []rune(s)))
}

func appendUTF16Hex(dst []byte, text []rune) []byte {
	for _, r := range text {
		if hi, lo := utf16.EncodeRune(r); hi != '\uFFFD' {
			dst = appendHex4(dst, uint16(hi))
			r = lo
		}
		dst = appendHex4(dst, uint16(r))
	}
	return dst
}

func appendHex4(dst []byte, v uint16) []byte {
	const digits = "0123456789ABCDEF"
	return append(dst, digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15])
}

// appendNumber writes v with at most three decimals and no exponent (§7.3.3).
func appendNumber(dst []byte, v float64) []byte {
	n := int64(math.Round(v * 1000))
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = strconv.AppendInt(dst, n/1000, 10)
	if n %= 1000; n == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+n/100))
	if n %= 100; n == 0 {
		return dst
	}
	dst = append(dst, byte('0'+n/10))
	if n %= 10; n == 0 {
		return dst
	}
	return append(dst, byte('0'+n))
}

func number(v float64) string { return string(appendNumber(nil, v)) }
