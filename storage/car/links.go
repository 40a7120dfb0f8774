package car

import (
	"fmt"
	"math"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"google.golang.org/protobuf/encoding/protowire"
)

// maxNesting bounds how deep the arrays, maps and tags of a block nest.
const maxNesting = 256

// Links returns the CIDs that a block links to, in the order in which they
// stand in it, duplicates included and identity CIDs left out. It returns
// ErrBlock where data does not decode.
func Links(c cid.Cid, data []byte) ([]cid.Cid, error) {
	var links []cid.Cid
	var err error
	switch c.Type() {
	case cid.Raw:
	case cid.DagProtobuf:
		links, err = linksPB(data)
	case cid.DagCBOR:
		links, err = linksCBOR(data)
	default:
		return nil, fmt.Errorf("%s: %w", c, ErrCID)
	}
	if err != nil {
		return nil, fmt.Errorf("block %s: %w: %w", c, err, ErrBlock)
	}
	out := links[:0]
	for _, l := range links {
		if l.Prefix().MhType != multihash.IDENTITY {
			out = append(out, l)
		}
	}
	return out, nil
}

// linksPB reads https://ipld.io/specs/codecs/dag-pb/spec/.
func linksPB(b []byte) (links []cid.Cid, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 || typ != protowire.BytesType || num != 1 && num != 2 {
			return nil, fmt.Errorf("dag-pb: unknown field %d", num)
		}
		v, m := protowire.ConsumeBytes(b[n:])
		if m < 0 {
			return nil, fmt.Errorf("dag-pb: field %d cut short", num)
		}
		b = b[n+m:]
		if num == 1 {
			continue
		}
		c, err := linkPB(v)
		if err != nil {
			return nil, err
		}
		links = append(links, c)
	}
	return links, nil
}

func linkPB(b []byte) (c cid.Cid, err error) {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return cid.Undef, fmt.Errorf("dag-pb: bad link")
		}
		m := protowire.ConsumeFieldValue(num, typ, b[n:])
		if m < 0 {
			return cid.Undef, fmt.Errorf("dag-pb: link cut short")
		}
		if num == 1 {
			v, k := protowire.ConsumeBytes(b[n:])
			if k < 0 || typ != protowire.BytesType || c.Defined() {
				return cid.Undef, fmt.Errorf("dag-pb: bad link hash")
			}
			if c, err = cid.Cast(v); err != nil {
				return cid.Undef, fmt.Errorf("dag-pb: link: %w", err)
			}
		}
		b = b[n+m:]
	}
	if !c.Defined() {
		return cid.Undef, fmt.Errorf("dag-pb: link without a hash")
	}
	return c, nil
}

// linksCBOR reads https://ipld.io/specs/codecs/dag-cbor/spec/: definite
// lengths, minimal integers, 64-bit floats, tag 42 alone, nothing after.
func linksCBOR(b []byte) (links []cid.Cid, err error) {
	todo := []uint64{1} // items left, by depth
	for len(todo) > 0 {
		top := len(todo) - 1
		if todo[top] == 0 {
			todo = todo[:top]
			continue
		}
		todo[top]--
		major, arg, n, err := headCBOR(b)
		if err != nil {
			return nil, err
		}
		b = b[n:]
		switch major {
		case 0, 1, 7:
		case 2, 3:
			if arg > uint64(len(b)) {
				return nil, fmt.Errorf("dag-cbor: string cut short")
			}
			b = b[arg:]
		case 4, 5:
			if arg > uint64(len(b)) || len(todo) >= maxNesting {
				return nil, fmt.Errorf("dag-cbor: list or map too long or nested too deep")
			}
			todo = append(todo, arg*uint64(major-3)) // a map entry is two items
		case 6:
			kind, size, n, err := headCBOR(b)
			if err != nil || arg != 42 || kind != 2 || size < 2 || size > uint64(len(b)-n) || b[n] != 0 {
				return nil, fmt.Errorf("dag-cbor: tag that is no link")
			}
			c, err := cid.Cast(b[n+1 : n+int(size)])
			if err != nil {
				return nil, fmt.Errorf("dag-cbor: link: %w", err)
			}
			links = append(links, c)
			b = b[n+int(size):]
		}
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("dag-cbor: %d bytes follow", len(b))
	}
	return links, nil
}

// headCBOR reads the head of one item: its major type, argument and length.
func headCBOR(b []byte) (major byte, arg uint64, n int, err error) {
	if len(b) == 0 {
		return 0, 0, 0, fmt.Errorf("dag-cbor: cut short")
	}
	major, low := b[0]>>5, b[0]&31
	size := 0
	switch {
	case low < 24:
		arg = uint64(low)
	case low <= 27:
		size = 1 << (low - 24)
	default:
		return 0, 0, 0, fmt.Errorf("dag-cbor: indefinite or reserved length")
	}
	if len(b) < 1+size {
		return 0, 0, 0, fmt.Errorf("dag-cbor: cut short")
	}
	for _, x := range b[1 : 1+size] {
		arg = arg<<8 | uint64(x)
	}
	if major == 7 {
		float := size == 8 && !math.IsNaN(math.Float64frombits(arg)) && !math.IsInf(math.Float64frombits(arg), 0)
		if !float && (size != 0 || arg < 20 || arg > 22) {
			return 0, 0, 0, fmt.Errorf("dag-cbor: simple value %d", arg)
		}
		return major, arg, 1 + size, nil
	}
	if size == 1 && arg < 24 || size > 1 && arg>>(4*size) == 0 {
		return 0, 0, 0, fmt.Errorf("dag-cbor: integer is not minimal")
	}
	return major, arg, 1 + size, nil
}
