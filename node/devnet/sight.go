package devnet

import (
	"context"
	"errors"

	"tally/chainclient"
	"tally/chainclient/watch"
	"tally/internal/kv"
	"tally/node/join"
	"tally/node/view"
	"tally/storage/possession/proofset"
)

// Sight is what anybody can read on the network's chain, read apart from the nodes:
// what they say of themselves can be held against it.
type Sight struct {
	Book chainclient.Book
	View *view.View
	Sets *proofset.Follower // who proves what

	close func() error
}

// See follows the chain until ctx ends or Close is called, whichever comes first;
// Close must be called in any case.
func (d *Devnet) See(ctx context.Context) (*Sight, error) {
	book, err := chainclient.LoadBook(d.Book())
	if err != nil {
		return nil, err
	}
	eth, err := chainclient.Dial(ctx, d.Chain.Ready.RPC, book)
	if err != nil {
		return nil, err
	}
	db, err := kv.Open("", kv.Options{})
	if err != nil {
		eth.Close()
		return nil, err
	}
	w, err := watch.New(watch.Config{Backend: eth, DB: db, ChainID: book.ChainID, Addresses: book.Contracts(), From: book.Start})
	if err != nil {
		eth.Close()
		return nil, errors.Join(err, db.Close())
	}
	v := view.New(book.Decode)
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx, v) }()
	return &Sight{book, v, proofset.Follow(join.ProofChain{View: v}, book.Params), func() error {
		stop()
		err := <-ended
		eth.Close()
		return errors.Join(err, db.Close())
	}}, nil
}

// Close ends the following; what was read stays.
func (s *Sight) Close() error { return s.close() }
