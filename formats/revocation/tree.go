package revocation

import "crypto/sha256"

// Tree is a hash tree over the slices of one key's list (the hashes of RFC 9162 §2.1.1; the
// number of leaves is a power of two). Node 1 is the root, node 2n and 2n+1 are below node n,
// node 0 is not used.
type Tree [][sha256.Size]byte

// LeafHash is the hash of a slice without its path.
func LeafHash(body []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}

func nodeHash(left, right [sha256.Size]byte) [sha256.Size]byte {
	var both [1 + 2*sha256.Size]byte
	both[0] = 1
	copy(both[1:], left[:])
	copy(both[1+sha256.Size:], right[:])
	return sha256.Sum256(both[:])
}

// NewTree makes the tree of 256 or 65,536 leaves.
func NewTree(leaves [][sha256.Size]byte) Tree {
	t := make(Tree, 2*len(leaves))
	copy(t[len(leaves):], leaves)
	for i := len(leaves) - 1; i > 0; i-- {
		t[i] = nodeHash(t[2*i], t[2*i+1])
	}
	return t
}

// Root is what a manifest states.
func (t Tree) Root() [sha256.Size]byte { return t[1] }

// PathNodes gives the numbers of the nodes that prove a leaf, from below to above.
func PathNodes(depth, leaf int) []int {
	var path []int
	for node := 1<<(8*depth) + leaf; node > 1; node /= 2 {
		path = append(path, node^1)
	}
	return path
}
