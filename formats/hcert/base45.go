package hcert

// base45Alphabet is RFC 9285 §4.2, by value.
const base45Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// appendBase45 appends the Base45 form of data (RFC 9285 §4): two bytes become three
// characters, a last single byte becomes two, least significant first.
func appendBase45(dst, data []byte) []byte {
	for ; len(data) >= 2; data = data[2:] {
		n := uint32(data[0])<<8 | uint32(data[1])
		high := n / (45 * 45)
		low := n % (45 * 45)
		dst = append(dst, base45Alphabet[low%45], base45Alphabet[low/45], base45Alphabet[high])
	}
	if len(data) == 1 {
		dst = append(dst, base45Alphabet[data[0]%45], base45Alphabet[data[0]/45])
	}
	return dst
}

// base45Len is the number of characters for n bytes.
func base45Len(n int) int { return n/2*3 + n%2*2 }
