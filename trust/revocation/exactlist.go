package revocation

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"sort"

	"github.com/trustedparty/ddcc-gateway/formats/revocation"
)

// exactList is the list of one key while it is written.
type exactList struct {
	kid    revocation.KID
	hashes [3][]revocation.Hash // in the order of ListedTypes
}

func newExactList(kid revocation.KID) *exactList { return &exactList{kid: kid} }

func (l *exactList) add(t revocation.HashType, h revocation.Hash) {
	at := slices.Index(revocation.ListedTypes(), t)
	l.hashes[at] = append(l.hashes[at], h)
}

// The file of an exact list: the depth (8 bytes), where each slice begins (8 bytes each and
// one for the end), the nodes of the hash tree from node 0, the slices without paths. It never
// leaves this machine; integers are little endian.
const (
	depthSize  = 8
	offsetSize = 8
)

// write makes the file and says what a manifest states of it.
func (l *exactList) write(path string) (revocation.Artefact, error) {
	count := 0
	var types []revocation.HashType
	for i, t := range revocation.ListedTypes() {
		l.hashes[i] = settled(l.hashes[i])
		if count += len(l.hashes[i]); len(l.hashes[i]) > 0 {
			types = append(types, t)
		}
	}
	depth := revocation.DepthFor(count)
	offsets, leaves, size := l.measure(depth)
	tree := revocation.NewTree(leaves)
	file, err := createList(path)
	if err != nil {
		return revocation.Artefact{}, err
	}
	head := binary.LittleEndian.AppendUint64(nil, uint64(depth))
	for _, at := range offsets {
		head = binary.LittleEndian.AppendUint64(head, uint64(at))
	}
	_, err = file.Write(head)
	for _, node := range tree {
		_, failed := file.Write(node[:])
		err = errors.Join(err, failed)
	}
	for body := range l.bodies(depth) {
		_, failed := file.Write(body)
		err = errors.Join(err, failed)
	}
	_, failed := file.finish()
	root := tree.Root()
	return revocation.Artefact{
		Name: revocation.SlicesName(l.kid), Kind: revocation.KindSlices, SHA256: hex.EncodeToString(root[:]),
		Size: size, Count: int64(count), KID: l.kid.Base64(), Depth: depth, HashTypes: types,
	}, errors.Join(err, failed)
}

// measure gives where each slice begins among the slices, and the leaves of the tree.
func (l *exactList) measure(depth int) (offsets []int64, leaves [][sha256.Size]byte, size int64) {
	for body := range l.bodies(depth) {
		offsets, leaves = append(offsets, size), append(leaves, revocation.LeafHash(body))
		size += int64(len(body))
	}
	return append(offsets, size), leaves, size
}

// bodies walks the slices in order; a body is only good until the next.
func (l *exactList) bodies(depth int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		rest := l.hashes
		var buffer []byte
		for i := range 1 << (8 * depth) {
			slice := revocation.Slice{KID: l.kid, Prefix: prefixOf(i, depth)}
			for t := range rest {
				end := sort.Search(len(rest[t]), func(j int) bool { return number(rest[t][j], depth) > i })
				slice.Hashes[t], rest[t] = rest[t][:end], rest[t][end:]
			}
			if buffer = slice.AppendBody(buffer[:0]); !yield(buffer) {
				return
			}
		}
	}
}

// prefixOf is the i-th prefix of that many bytes.
func prefixOf(i, depth int) []byte {
	if depth == 1 {
		return []byte{byte(i)}
	}
	return []byte{byte(i >> 8), byte(i)}
}

// number is the place of a hash among the slices.
func number(h revocation.Hash, depth int) int {
	if depth == 1 {
		return int(h[0])
	}
	return int(h[0])<<8 | int(h[1])
}

// exactFile is an exact list that is served.
type exactFile struct {
	kid      revocation.KID
	depth    int
	file     *os.File
	offsets  []int64 // in the file, one more than there are slices
	treeFrom int64
}

var errExactFile = errors.New("revocation: the file of an exact list is damaged")

// openExact opens the list and holds every slice and the tree against the root in the manifest.
func openExact(path string, a revocation.Artefact, kid revocation.KID) (*exactFile, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &exactFile{kid: kid, depth: a.Depth, file: file}
	if err := f.verify(a); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

func (f *exactFile) verify(a revocation.Artefact) error {
	leaves := 1 << (8 * f.depth)
	head := make([]byte, depthSize+offsetSize*(leaves+1))
	if err := readAt(f.file, head, 0); err != nil {
		return err
	}
	if binary.LittleEndian.Uint64(head) != uint64(f.depth) {
		return errExactFile
	}
	f.treeFrom = int64(len(head))
	bodies := f.treeFrom + int64(2*leaves*sha256.Size)
	for i := range leaves + 1 {
		at := binary.LittleEndian.Uint64(head[depthSize+offsetSize*i:])
		if at > uint64(a.Size) {
			return errExactFile
		}
		f.offsets = append(f.offsets, bodies+int64(at))
	}
	if f.offsets[0] != bodies || f.offsets[leaves] != bodies+a.Size || !slices.IsSorted(f.offsets) {
		return errExactFile
	}
	hashes := make([][sha256.Size]byte, leaves)
	for i := range leaves {
		body, err := f.body(i)
		if err != nil {
			return err
		}
		hashes[i] = revocation.LeafHash(body)
	}
	return f.verifyTree(revocation.NewTree(hashes), a)
}

func (f *exactFile) verifyTree(tree revocation.Tree, a revocation.Artefact) error {
	if root := tree.Root(); hex.EncodeToString(root[:]) != a.SHA256 {
		return errExactFile
	}
	stored := make([]byte, len(tree)*sha256.Size)
	if err := readAt(f.file, stored, f.treeFrom); err != nil {
		return err
	}
	for i, node := range tree {
		if node != [sha256.Size]byte(stored[i*sha256.Size:]) {
			return errExactFile
		}
	}
	return nil
}

func (f *exactFile) body(i int) ([]byte, error) {
	size := f.offsets[i+1] - f.offsets[i]
	if size > revocation.MaxSliceBytes {
		return nil, errExactFile
	}
	body := make([]byte, size)
	return body, readAt(f.file, body, f.offsets[i])
}

// slice gives the slice of a prefix as it is served; false if the list is cut otherwise.
func (f *exactFile) slice(prefix []byte) ([]byte, bool, error) {
	if len(prefix) != f.depth {
		return nil, false, nil
	}
	var h revocation.Hash
	copy(h[:], prefix)
	at := number(h, f.depth)
	out, err := f.body(at)
	if err != nil {
		return nil, false, err
	}
	var node [sha256.Size]byte
	for _, n := range revocation.PathNodes(f.depth, at) {
		if err := readAt(f.file, node[:], f.treeFrom+int64(n*sha256.Size)); err != nil {
			return nil, false, err
		}
		out = append(out, node[:]...)
	}
	return out, true, nil
}

func readAt(file *os.File, into []byte, at int64) error {
	if _, err := file.ReadAt(into, at); err != nil {
		return errors.Join(errExactFile, err)
	}
	return nil
}
