package pinset

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// ErrConfig marks settings that make no sense.
var ErrConfig = errors.New("pinset: bad configuration")

// MaxTarget bounds how many holders a shard may want.
const MaxTarget = 64

// Rules are the times of the decision. All nodes of a network use the same ones.
type Rules struct {
	Patience uint64 // blocks between two waves, besides the time of the fetch [16]
	PerBlock uint64 // bytes that a candidate is thought to fetch in a block [4 MiB]
	Waves    uint64 // waves after which all who are left may act [8]
	Grace    uint64 // blocks between two departures, more than two proof periods [240]
}

// RulesFor are the rules of a network whose proof period has this many blocks.
func RulesFor(period uint64) Rules { return Rules{Grace: 2*period + 16}.Defaults() }

// Defaults fills in what is zero.
func (r Rules) Defaults() Rules {
	return Rules{cmp.Or(r.Patience, 16), cmp.Or(r.PerBlock, 4<<20), cmp.Or(r.Waves, 8), cmp.Or(r.Grace, 240)}
}

// Await is the number of blocks, from Shard.Since on, in which those who are coming
// are waited for: every wave, and the time to the proof of the first period.
func (r Rules) Await(size uint64) uint64 { return (r.Waves+1)*r.Wait(size) + r.Grace }

// Wait is the number of blocks between two waves of candidates for a shard.
func (r Rules) Wait(size uint64) uint64 { return r.Patience + size/r.PerBlock }

// Wanted is a shard that should be kept.
type Wanted struct {
	Root   cid.Cid     // of the DAG
	Piece  common.Hash // piece root of its CAR file
	Size   uint64      // bytes of it
	Target int         // holders wanted, 1 to MaxTarget
	Why    string      // who wants it, in words
	Until  uint64      // unix seconds; 0 is until it is no longer wanted
	Mine   bool        // this node gave its word to somebody: it is kept whatever others do
}

// Phase is how far this node is with a shard.
type Phase uint8

// Phases.
const (
	Absent   Phase = iota // nothing is done
	Fetching              // it is on its way
	Ready                 // promised, but not on the chain yet
	Kept                  // promised, and on the chain
	Leaving               // no longer promised, but on the chain still
	Lost                  // the same, and its data is gone
)

// Shard is what a node knows about a wanted shard when it decides.
type Shard struct {
	Wanted
	Holders []common.Address // that proved it and are not suspended
	Coming  []common.Address // that have it in their sets and have yet to prove it for the first time
	Since   uint64           // block at which this many holders and this target were first seen together
	Stir    uint64           // the same for holders and coming together; never before Since
	Phase   Phase
	Wrong   string // why no such shard can be: its three names do not belong together
	Retry   uint64 // block from which a fetch that failed may be tried again
	Refused string // why it failed, or is not wanted by this node
}

// Situation is all that Decide looks at.
type Situation struct {
	Me      common.Address
	Head    uint64           // newest block
	Pinners []common.Address // registered for pins and not suspended
	Free    uint64           // bytes that may still be fetched
	Rules   Rules
	Partial bool // there may be more that is wanted: nothing is let go
	Shards  []Shard
}

// Action is what to do with a shard.
type Action uint8

// Actions.
const (
	Nothing Action = iota
	Fetch          // get it, look again, pin it, have it proved; or go on with that
	Stop           // end a fetch that is no longer needed
	Hold           // keep it, or take a departure back
	Leave          // no longer promise it
)

// Choice is Decide's word about one shard.
type Choice struct {
	Shard  *Shard
	Action Action
	Place  int    // this node's in the order, from 0; -1 where it has none
	Wave   uint64 // of candidates that it belongs to, from 0
	Due    uint64 // block in which its turn comes, where it waits
	Why    string // in words
}

// Weight is a node's weight for a piece: keccak256(piece root ‖ node). The highest
// is best placed.
func Weight(piece common.Hash, node common.Address) common.Hash {
	return crypto.Keccak256Hash(piece[:], node[:])
}

// Order sorts nodes for a piece, the best placed first; ties fall by address.
func Order(piece common.Hash, nodes []common.Address) []common.Address {
	type weighed struct {
		node   common.Address
		weight common.Hash
	}
	ws := make([]weighed, len(nodes))
	for i, n := range nodes {
		ws[i] = weighed{n, Weight(piece, n)}
	}
	slices.SortFunc(ws, func(a, b weighed) int { return cmp.Or(b.weight.Cmp(a.weight), a.node.Cmp(b.node)) })
	out := make([]common.Address, len(ws))
	for i, w := range ws {
		out[i] = w.node
	}
	return out
}

// Decide says what to do with each shard: first those to fetch, the most urgent
// first, then the others in the order in which they came. It does not change s.
func Decide(s Situation) []Choice {
	s.Rules = s.Rules.Defaults()
	out := make([]Choice, len(s.Shards))
	for i := range s.Shards {
		out[i] = one(&s, &s.Shards[i])
	}
	slices.SortStableFunc(out, func(a, b Choice) int { return urgency(&s, a, b) })
	free := s.Free
	for i := range out {
		c := &out[i]
		if c.Action != Fetch || c.Shard.Phase == Fetching {
			continue // Free leaves out what is reserved
		}
		if c.Shard.Size > free {
			c.Action, c.Why = Nothing, noRoom(c.Shard.Size, free)
			continue
		}
		free -= c.Shard.Size
	}
	return out
}

func noRoom(size, free uint64) string {
	return fmt.Sprintf("no room: %d bytes, %d are free: raise the limit or free some", size, free)
}

// urgency puts fetches first: those promised to somebody, those with the largest
// part of their holders missing, those of an earlier wave, then by this node's
// weight, so that nodes do not begin with the same.
func urgency(s *Situation, a, b Choice) int {
	if a.Action != Fetch || b.Action != Fetch {
		return cmp.Compare(rank(a), rank(b))
	}
	if a.Shard.Mine != b.Shard.Mine {
		return cmp.Compare(mine(b), mine(a))
	}
	ma, mb := max(0, missing(a.Shard)), max(0, missing(b.Shard)) // ma/targetA against mb/targetB, crosswise
	ah, al := bits.Mul64(uint64(ma), uint64(b.Shard.Target))
	bh, bl := bits.Mul64(uint64(mb), uint64(a.Shard.Target))
	wa, wb := Weight(a.Shard.Piece, s.Me), Weight(b.Shard.Piece, s.Me)
	return cmp.Or(cmp.Compare(bh, ah), cmp.Compare(bl, al), cmp.Compare(a.Wave, b.Wave), bytes.Compare(wb[:], wa[:]))
}

func rank(c Choice) int {
	if c.Action == Fetch {
		return 0
	}
	return 1
}

func mine(c Choice) int {
	if c.Shard.Mine {
		return 1
	}
	return 0
}

// missing is how many holders a shard lacks; below zero it has too many.
func missing(x *Shard) int { return x.Target - len(x.Holders) }

// awaited says whether those who are coming are counted still. They are for a
// while only, so that names alone keep nobody from fetching for good.
func awaited(s *Situation, x *Shard) bool {
	return len(x.Coming) > 0 && s.Head < x.Since+s.Rules.Await(x.Size)
}

// one decides about a shard without regard to room.
func one(s *Situation, x *Shard) Choice {
	c := Choice{Shard: x, Place: -1}
	holds := slices.Contains(x.Holders, s.Me)
	here := holds || slices.Contains(x.Coming, s.Me)
	lack, begin := missing(x), max(x.Since, x.Stir)
	if awaited(s, x) {
		lack -= len(x.Coming)
	} else if len(x.Coming) > 0 {
		begin = x.Since + s.Rules.Await(x.Size)
	}
	phase := x.Phase
	if phase == Ready && here { // the prover has not looked at the chain since
		phase = Kept
	}
	switch phase {
	case Ready:
		if c.Action, c.Why = Hold, "kept, and on its way to the chain"; lack <= 0 && !x.Mine && !s.Partial {
			c.Action, c.Why = Leave, "others were faster"
		}
		return c
	case Kept:
		c.Action, c.Why = Hold, "kept"
		if !holds || missing(x) >= 0 || x.Mine || s.Partial {
			return c // only what is proved lets a node go
		}
		return leave(s, x, c)
	case Leaving:
		if x.Mine || here && lack >= 0 {
			c.Action, c.Why = Hold, "others left meanwhile: kept again"
			return c
		}
		c.Why = "leaving: others hold it"
		return c
	case Lost:
		c.Why = "given up: it is fetched again when the chain has forgotten it"
		return c
	case Absent, Fetching:
	}
	if x.Wrong != "" {
		c.Why = "not fetched again: " + x.Wrong
		return c
	}
	if x.Mine {
		c.Action, c.Why = Fetch, "promised to somebody"
		if x.Phase == Absent && x.Retry > s.Head {
			c.Action, c.Why = Nothing, fmt.Sprintf("tried again in block %d: %s", x.Retry, x.Refused)
		}
		return c
	}
	if lack <= 0 {
		c.Why = fmt.Sprintf("enough nodes hold it: %d of %d", len(x.Holders), x.Target)
		if missing(x) > 0 {
			c.Why = fmt.Sprintf("%d of %d nodes hold it, and %d are about to prove it", len(x.Holders), x.Target, len(x.Coming))
		}
		if x.Phase == Fetching {
			c.Action = Stop
		}
		return c
	}
	if !slices.Contains(s.Pinners, s.Me) {
		c.Why = "this node is not registered for pins, or is suspended"
		if x.Phase == Fetching {
			c.Action = Stop
		}
		return c
	}
	switch { // before the order is computed, which costs a hash for each pinner
	case x.Phase == Fetching:
		c.Action, c.Why = Fetch, "being fetched"
		return c
	case x.Retry > s.Head:
		c.Why = fmt.Sprintf("tried again in block %d: %s", x.Retry, x.Refused)
		return c
	case x.Size > s.Free:
		c.Why = noRoom(x.Size, s.Free)
		return c
	}
	c.Place = place(s, x)
	c.Wave = min(uint64(c.Place/lack), s.Rules.Waves)
	c.Due = begin + c.Wave*s.Rules.Wait(x.Size)
	if c.Due > s.Head {
		c.Why = fmt.Sprintf("its turn comes in block %d, if %d holders are still missing", c.Due, lack)
		return c
	}
	c.Action, c.Why = Fetch, fmt.Sprintf("%d of %d holders are missing", lack, x.Target)
	return c
}

// place is this node's in the Order of the pinners that neither hold the shard nor
// are about to.
func place(s *Situation, x *Shard) int {
	n, mine := 0, Weight(x.Piece, s.Me)
	for _, a := range s.Pinners {
		if a == s.Me || slices.Contains(x.Holders, a) || slices.Contains(x.Coming, a) {
			continue
		}
		if cmp.Or(Weight(x.Piece, a).Cmp(mine), s.Me.Cmp(a)) > 0 {
			n++
		}
	}
	return n
}

// leave decides whether a holder of a shard with too many goes: the worst-placed
// first, one each time of grace.
func leave(s *Situation, x *Shard, c Choice) Choice {
	order := Order(x.Piece, x.Holders)
	c.Place = slices.Index(order, s.Me)
	fromWorst := len(order) - 1 - c.Place
	c.Due = x.Since + uint64(fromWorst+1)*s.Rules.Grace
	if fromWorst < -missing(x) && c.Due <= s.Head {
		c.Action, c.Why = Leave, fmt.Sprintf("%d nodes hold it, %d are wanted", len(x.Holders), x.Target)
	} else {
		c.Why = fmt.Sprintf("kept, though %d nodes hold it and %d are wanted", len(x.Holders), x.Target)
	}
	return c
}
