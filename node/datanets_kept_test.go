package node

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"tally/node/api"
	"tally/node/datanet"
	"tally/protocol"
	"tally/storage/possession/proofset"
)

// heard is a chain on which these facts were said.
type heard struct {
	block uint64
	facts []protocol.Fact
}

func (c heard) Head() (uint64, common.Hash)         { return c.block, common.Hash{1} }
func (heard) BlockHash(uint64) (common.Hash, error) { return common.Hash{1}, nil }
func (c heard) Facts() []protocol.Fact              { return c.facts }
func (heard) Changed() <-chan struct{}              { return nil }
func (c *heard) say(block uint64, e any) {
	c.facts = append(c.facts, protocol.Fact{Block: block, Event: e})
}

func TestAContributorSeesHowManyNodesProveEachShard(t *testing.T) {
	town := accessTown(t, "none/1", "none/1")
	contributor := town[1].desk(t)
	const all = "/v0/datanets"
	dn := gives[api.Datanet](town[0].desk(t), "POST", all, api.CreateDatanet{Name: "letters", Licence: "CC0-1.0", Replicas: 3})
	at := all + "/" + dn.CID
	kept := gives[api.Datanet](contributor, "POST", at+"/shards", "a letter that is kept").Added
	d := gives[api.Datanet](contributor, "POST", at+"/shards", "another that nobody wants")
	if d.Shards[0].Holders != nil || d.Shards[0].Replicas != 0 {
		t.Errorf("what was added says who keeps it: %+v", d.Shards)
	}

	params := protocol.Params{ProofPeriod: 10, ProofLeaves: 3}
	chain := heard{block: 25}
	for i, size := range []uint64{kept.Bytes, kept.Bytes, kept.Bytes + 1, kept.Bytes} {
		who := common.Address{byte(i + 1)}
		chain.say(5, protocol.PieceAdded{Node: who, ID: 0, Root: common.HexToHash(kept.Piece), Size: size})
		if i < 3 { // the last one has promised only; the one before says another size
			chain.say(15, protocol.PossessionProved{Node: who, Period: 1})
		}
	}
	town[1].sets = proofset.Follow(chain, params)
	shown := gives[api.Datanet](contributor, "GET", all+"/"+d.CID, nil)
	for i, want := range []int{2, 0} {
		if s := shown.Shards[i]; s.Holders == nil || *s.Holders != want || s.Replicas != 3 {
			t.Errorf("shard %d: %+v, want %d holders of 3", i, s, want)
		}
	}
	gone := gives[api.Datanet](contributor, "DELETE", at+"/shards/"+kept.Root, nil)
	if s := gives[api.Datanet](contributor, "GET", all+"/"+gone.CID, nil).Shards[0]; *s.Holders != 2 || s.Replicas != 0 {
		t.Errorf("withdrawn: %+v", s)
	}
}

func TestWhatAnOwnerRefusesIsNotKeptByItsContributor(t *testing.T) {
	town := accessTown(t, "none/1", "none/1")
	owner, contributor := town[0].desk(t), town[1].desk(t)
	const all = "/v0/datanets"
	dn := gives[api.Datanet](owner, "POST", all, api.CreateDatanet{Name: "poems", Licence: "CC0-1.0"})
	at := all + "/" + dn.CID + "/shards?accept=1"
	poem := "the first line of a poem that somebody wrote, with words enough to be told from others\x1eand its second line, which nobody else has written before, as far as is known here"
	gives[api.Datanet](owner, "POST", at, poem)
	gives[api.Datanet](contributor, "POST", at, "something else that is told in words of its own, and is taken")
	if code, b := contributor.do("POST", at, strings.ToUpper(poem)); code == http.StatusOK || !strings.Contains(b, datanet.ErrDuplicate.Error()) {
		t.Fatalf("a copy: %d, %s", code, b)
	}
	kept := 0
	for p, err := range town[1].store.S.Pins() {
		if err != nil {
			t.Fatal(err)
		}
		if sh, err := town[1].store.S.Stat(t.Context(), p.Root); err == nil && sh.Size > 0 && p.Why == "datanet poems" {
			if b, err := town[1].store.Local(t.Context(), p.Root); err != nil || strings.Contains(string(b), "SECOND LINE") {
				t.Errorf("kept: %s, %v", b, err)
			}
			kept++
		}
	}
	if kept == 0 {
		t.Error("what was taken is not kept either")
	}
}
