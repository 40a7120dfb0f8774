package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"tally/internal/kv"
	"tally/node/home"
	"tally/node/join"
	"tally/protocol"
	"tally/protocol/piece"
	"tally/rewards"
	"tally/rewards/retrieval"
	"tally/storage/pinset"
	"tally/storage/possession"
	"tally/storage/possession/proofset"
	"tally/storage/shardstream"
)

const (
	streamReport = "report"
	maxReport    = 4 << 10
	askPatience  = 20 * time.Second
	giveUpAfter  = 3 // periods of a piece that cannot be healed: the rest can go on being proved
)

// openProofs readies a pinner's promises and proofs. The sets of all nodes are
// followed by everybody: status and auditors read them.
func (n *Node) openProofs(ctx context.Context) (err error) {
	chain := join.ProofChain{View: n.view}
	n.sets = proofset.Follow(chain, n.book.Params)
	n.inbox.DrawPaid(n.openPins())
	if !n.home.Config.Has(home.Pinner) {
		return nil
	}
	db, err := n.openDB("proofs", true)
	if err != nil {
		return err
	}
	n.prover, err = possession.New(possession.Config{
		Node: n.me, Params: n.book.Params, Chain: chain, Sets: n.sets, Notes: possession.OnDisk(db, ""), Logger: n.log,
		Wallet: &join.ProofWallet{Chain: n.chain, Life: ctx}, GiveUpAfter: giveUpAfter, Current: n.watcher.Current,
		Pieces: join.ProofShards{Store: n.store},
	})
	if err != nil {
		return err
	}
	wants := join.Wants{join.JobWants(n.store, n.provedAfter), n.followedWants}
	if n.home.Config.Volunteer {
		n.offers = join.NewOfferWants(n.view, n.store, n.log)
		wants = append(wants, n.offers.Wanted)
	}
	n.keeper, err = pinset.New(pinset.Config{
		Me: n.me, Wants: wants, Prover: join.Promises{P: n.prover}, Logger: n.log, Rules: pinset.RulesFor(n.book.Params.ProofPeriod),
		Network: join.PinNetwork{View: n.view, Sets: n.sets, Class: home.ClassPin},
		Store: join.PinShards{Store: n.store, Get: func(ctx context.Context, w pinset.Wanted) error {
			if err := n.datanets.HideWanted(ctx, w.Root); err != nil {
				return err
			}
			_, err := n.store.Shards.Fetch(ctx, shardstream.Want{Root: w.Root, Piece: piece.Hash(w.Piece), Size: w.Size}, nil)
			return err
		}},
	})
	return err
}

// provedAfter says whether this node proved its set in a period that began after a
// time in unix seconds.
func (n *Node) provedAfter(end uint64) bool {
	st := n.prover.Status()
	if !st.EverProved {
		return false
	}
	_, began, err := n.view.Block(n.book.Params.ChallengeBlock(st.LastProved))
	return err == nil && began > end
}

// followedWants are the shards of the datanets that the operator follows; with an error, not all.
func (n *Node) followedWants(ctx context.Context) ([]pinset.Wanted, error) {
	followed, err := n.datanets.Followed(ctx)
	var out []pinset.Wanted
	for _, w := range followed {
		if w.Target > 0 {
			out = append(out, pinset.Wanted{
				Root: w.Root, Piece: w.Piece, Size: w.Size, Target: min(int(w.Target), pinset.MaxTarget), Why: "datanet " + w.Datanet.String(),
			})
		}
	}
	return out, err
}

// proofLoops keep what was promised, and prove it.
func (n *Node) proofLoops() []loop {
	if n.prover == nil {
		return nil
	}
	ls := []loop{{"prover", n.prover.Run}, {"pin set", n.keeper.Run}}
	if n.offers != nil {
		ls = append(ls, loop{"pin offers", n.offers.Run})
	}
	return ls
}

// asker asks holders for leaves over shard streams.
type asker struct{ n *Node }

// Ask implements retrieval.Asker.
func (a asker) Ask(ctx context.Context, node common.Address, of common.Hash, leaf uint64) (retrieval.Answer, error) {
	id, err := a.n.streams.Peer(node)
	if err != nil {
		return retrieval.Answer{}, err
	}
	if len(a.n.host.Peers()) == 0 {
		return retrieval.Answer{}, fmt.Errorf("%w: this node is connected to nobody", retrieval.ErrUnable)
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	c, err := join.Shards{Host: a.n.host}.Open(ctx, id)
	if err != nil {
		return retrieval.Answer{}, err
	}
	defer func() { _ = c.Close() }()
	ans, err := shardstream.Prove(ctx, c, cid.Undef, piece.Hash(of), leaf, askPatience)
	return retrieval.Answer{Signed: ans.Signed, Proof: ans.Proof}, err
}

// Prove implements retrieval.Prover with what this node holds itself.
func (a asker) Prove(ctx context.Context, of common.Hash, leaf uint64) (piece.Proof, error) {
	sh, err := a.n.store.S.ByPiece(ctx, piece.Hash(of))
	if err != nil {
		return piece.Proof{}, err
	}
	return a.n.store.S.PieceProof(ctx, sh.Root, leaf)
}

// openPins reads what is paid for out of the epochs.
func (n *Node) openPins() *rewards.OpenPins {
	return rewards.NewOpenPins(join.Epochs{Store: n.store}, 0)
}

// newChecker is the auditor's role of asking holders for what they prove.
func (n *Node) newChecker() (*retrieval.Checker, error) {
	return retrieval.New(retrieval.Config{
		Key: n.home.Key, Network: n.book.Network, Params: n.book.Params, Chain: join.EpochChain{View: n.view},
		Asker: asker{n}, Own: asker{n}, Courier: n, Judge: n.chain, Paid: n.openPins(), Journal: n.journal, Patience: askPatience, Log: n.log,
		Every: 500 * time.Millisecond, Resend: 6,
	})
}

// SendReport implements retrieval.Courier, as SendVerdict does.
func (n *Node) SendReport(ctx context.Context, s protocol.Signed[protocol.RetrievalReport]) error {
	r, err := s.Open(n.book.Network)
	if err != nil {
		return err
	}
	return n.toPosters(ctx, func(ctx context.Context, poster common.Address) error {
		return n.tellOnce(ctx, poster, r.Epoch, s.CID(), streamReport, s.Bytes())
	})
}

// takeReport keeps an auditor's report, then acknowledges.
func (n *Node) takeReport(ctx context.Context, _ common.Address, b []byte) ([]byte, error) {
	s, err := protocol.ParseSigned[protocol.RetrievalReport](b)
	if err != nil {
		return nil, err
	}
	r, err := s.Open(n.book.Network)
	if err != nil {
		return nil, err
	}
	if !n.registered(r.Auditor, home.ClassAudit) {
		return nil, fmt.Errorf("%w: %s is no auditor", ErrStranger, r.Auditor)
	}
	// Anybody registers the class; whom the ledger knows its owner decides. So nobody
	// else fills posters' disks and the epochs' documents.
	if yes, err := n.chain.IsAuditor(ctx, r.Auditor); err != nil || !yes {
		return nil, errors.Join(err, fmt.Errorf("%w: the ledger knows no auditor %s", ErrStranger, r.Auditor))
	}
	if err := n.inbox.Take(ctx, s); err != nil {
		return nil, err
	}
	return []byte{1}, nil
}

// toPosters tells every registered poster but this node, all at once.
func (n *Node) toPosters(ctx context.Context, tell func(context.Context, common.Address) error) error {
	ctx, cancel := context.WithTimeout(ctx, verdictWithin)
	defer cancel()
	told, found := make(chan error), 0
	for account, e := range n.view.Nodes() {
		if account == n.me || !slices.Contains(e.Classes, home.ClassPost) {
			continue
		}
		found++
		go func() { told <- tell(ctx, account) }()
	}
	var errs error
	for range found {
		errs = errors.Join(errs, <-told)
	}
	return errs
}

// tellOnce gives one poster a message about an epoch, unless it has acknowledged it or
// has no bond.
func (n *Node) tellOnce(ctx context.Context, poster common.Address, epoch uint64, id cid.Cid, stream string, b []byte) error {
	key := toldPosters{}.key(epoch, id, poster)
	err := n.db.View(func(tx *kv.Tx) error {
		_, err := tx.Get(key)
		return err
	})
	if !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	bond, err := n.chain.Bond(ctx, poster)
	if err != nil || bond.Cmp(n.book.Params.Bond) < 0 {
		return err
	}
	if _, err := n.streams.Call(ctx, poster, stream, b, 16); err != nil {
		return fmt.Errorf("node: %s to poster %s: %w", stream, poster, err)
	}
	return n.db.Update(func(tx *kv.Tx) error { return tx.Set(key, []byte{1}) })
}

// toldPosters is what posters have acknowledged, by epoch.
type toldPosters struct{ db *kv.DB }

const (
	toldPrefix = "told/"
	maxPrune   = 1024 // dropped at a time
)

func (toldPosters) key(epoch uint64, id cid.Cid, poster common.Address) []byte {
	key := binary.BigEndian.AppendUint64([]byte(toldPrefix), epoch)
	return append(append(key, id.Bytes()...), poster[:]...)
}

// Prune implements rewards.Prunable.
func (t toldPosters) Prune(before uint64) (dropped int, err error) {
	var old [][]byte
	err = t.db.Update(func(tx *kv.Tx) error {
		for it, err := range tx.Scan([]byte(toldPrefix)) {
			if err != nil {
				return err
			}
			b := it.Key[len(toldPrefix):]
			if len(b) < 8 || binary.BigEndian.Uint64(b) >= before || len(old) == maxPrune {
				break // keys are in the order of epochs
			}
			old = append(old, it.Key)
		}
		for _, k := range old {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("node: prune what posters were told: %w", err)
	}
	return len(old), nil
}
