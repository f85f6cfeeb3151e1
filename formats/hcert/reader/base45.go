package reader

import "errors"

var (
	errBase45Character = errors.New("a character outside the Base45 alphabet")
	errBase45Length    = errors.New("one character is left over")
	errBase45Overflow  = errors.New("a group of characters stands for too large a number")
)

// base45Values maps a character to its value plus one (RFC 9285 §4.2); zero is invalid.
var base45Values = [256]uint8{
	'0': 1, '1': 2, '2': 3, '3': 4, '4': 5, '5': 6, '6': 7, '7': 8, '8': 9, '9': 10,
	'A': 11, 'B': 12, 'C': 13, 'D': 14, 'E': 15, 'F': 16, 'G': 17, 'H': 18, 'I': 19,
	'J': 20, 'K': 21, 'L': 22, 'M': 23, 'N': 24, 'O': 25, 'P': 26, 'Q': 27, 'R': 28,
	'S': 29, 'T': 30, 'U': 31, 'V': 32, 'W': 33, 'X': 34, 'Y': 35, 'Z': 36,
	' ': 37, '$': 38, '%': 39, '*': 40, '+': 41, '-': 42, '.': 43, '/': 44, ':': 45,
}

// decodeBase45 is strict (RFC 9285 §4 and §6): any character, length or group that no
// encoder produces is an error. A space is a character like any other.
func decodeBase45(text string) ([]byte, error) {
	if len(text)%3 == 1 {
		return nil, errBase45Length
	}
	out := make([]byte, 0, len(text)/3*2+1)
	for ; len(text) >= 3; text = text[3:] {
		c, d, e := base45Values[text[0]], base45Values[text[1]], base45Values[text[2]]
		if c == 0 || d == 0 || e == 0 {
			return nil, errBase45Character
		}
		n := uint32(c-1) + 45*uint32(d-1) + 45*45*uint32(e-1)
		if n > 0xffff {
			return nil, errBase45Overflow
		}
		out = append(out, byte(n>>8), byte(n))
	}
	if len(text) == 2 {
		c, d := base45Values[text[0]], base45Values[text[1]]
		if c == 0 || d == 0 {
			return nil, errBase45Character
		}
		n := uint32(c-1) + 45*uint32(d-1)
		if n > 0xff {
			return nil, errBase45Overflow
		}
		out = append(out, byte(n))
	}
	return out, nil
}
