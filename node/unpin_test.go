package node

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"tally/compute/market"
	"tally/node/api"
	"tally/node/join"
	"tally/node/pinning"
	"tally/protocol/piece"
	"tally/storage"
	"tally/storage/pinset"
)

func TestShardIsGivenUpOnlyWhereItIsNotFetchedAgainAndNoPromiseIsBrokenUnasked(t *testing.T) {
	s, err := storage.Open(storage.Config{Dir: t.TempDir(), Floor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	sh, err := s.ImportFile(t.Context(), strings.NewReader("a shard"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	followed := []pinset.Status{{Wanted: pinset.Wanted{Root: sh.Root, Why: "datanet books"}}}
	promised := []pinset.Status{{Wanted: pinset.Wanted{Root: sh.Root, Why: market.PinReason, Mine: true}}}
	pin := func(why string, until int64) storage.PinInfo {
		return storage.PinInfo{Why: why, Until: uint64(until)}
	}
	later := now.Unix() + 60 + market.KeepPinned
	for name, c := range map[string]struct {
		pins   []storage.PinInfo
		wanted []pinset.Status
		others int
		insist bool
		refuse string // part of the error
		freed  int
	}{
		"nothing keeps it":           {refuse: "nothing keeps"},
		"a copy of others":           {pins: []storage.PinInfo{pin("texts", 0)}, others: 1, freed: 1},
		"the last copy":              {pins: []storage.PinInfo{pin("texts", 0)}, refuse: "last copy"},
		"the last copy, insisted":    {pins: []storage.PinInfo{pin("texts", 0), pin("recovered", 0)}, insist: true, freed: 2},
		"a followed datanet":         {pins: []storage.PinInfo{pin(join.ReasonPinSet, 0), pin("texts", 0)}, wanted: followed, others: 3, insist: true, refuse: "unfollow"},
		"a promise":                  {pins: []storage.PinInfo{pin(market.PinReason+"0x1", later), pin(join.ReasonPinSet, 0)}, wanted: promised, others: 3, refuse: "promised to a payer until 2027-01-15 08:01:00"},
		"a promise, insisted":        {pins: []storage.PinInfo{pin(market.PinReason+"0x1", later), pin(join.ReasonPinSet, 0)}, wanted: promised, insist: true, freed: 1},
		"a promise that is over":     {pins: []storage.PinInfo{pin(market.PinReason+"0x1", market.KeepPinned+now.Unix()-1)}, others: 1, freed: 1},
		"on its way out":             {pins: []storage.PinInfo{pin(join.ReasonPinSet, 0)}, others: 3, refuse: "leaving already"},
		"of the pinning service":     {pins: []storage.PinInfo{pin(pinning.Reason+"7", 0)}, others: 1, insist: true, refuse: "id 7"},
		"a followed datanet's spare": {pins: []storage.PinInfo{pin("texts", 0)}, wanted: followed, others: 1, freed: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if err := s.Unpin(t.Context(), sh.Root); err != nil {
				t.Fatal(err)
			}
			for _, p := range c.pins {
				if err := s.Pin(t.Context(), sh.Root, p); err != nil {
					t.Fatal(err)
				}
			}
			k := keeping{store: s, root: sh.Root, wanted: c.wanted, others: c.others, now: now}
			freed, err := k.giveUp(t.Context(), c.insist)
			left := 0
			for p, err := range s.Pins() {
				if err != nil {
					t.Fatal(err)
				}
				if left++; c.refuse == "" && p.Why != join.ReasonPinSet {
					t.Errorf("%q keeps it still", p.Why)
				}
			}
			if c.refuse != "" {
				if !errors.Is(err, api.ErrBadRequest) || !strings.Contains(err.Error(), c.refuse) || left != len(c.pins) {
					t.Errorf("refused with %v, %d of %d pins are left", err, left, len(c.pins))
				}
				return
			}
			if err != nil || len(freed) != c.freed || left != len(c.pins)-c.freed {
				t.Errorf("released %q, %v; %d of %d pins are left", freed, err, left, len(c.pins))
			}
		})
	}
}

func TestWhoOnlyNamedAShardDoesNotCountAsAnotherCopy(t *testing.T) {
	me, other, named := common.Address{1}, common.Address{2}, common.Address{3}
	sh := storage.Shard{Piece: piece.Hash{7}, Size: 500}
	keepers := func(of common.Hash, size uint64) (holders, coming []common.Address, err error) {
		if of != common.Hash(sh.Piece) || size != sh.Size {
			t.Errorf("asked for %s of %d bytes", of, size)
		}
		return []common.Address{me, other}, []common.Address{named}, nil
	}
	if n, err := provedBy(sh, me, keepers); err != nil || n != 1 {
		t.Errorf("%d others, %v", n, err)
	}
}
