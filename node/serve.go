package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"tally/compute/market"
	"tally/node/datanet"
	"tally/node/home"
	"tally/node/join"
	"tally/node/models"
	"tally/p2p"
	"tally/protocol"
)

const (
	topicAdverts  = "adverts"
	streamVerdict = "verdict"
	maxVerdict    = 4 << 10
	advertEvery   = 3 * time.Second
	advertFor     = 10 * time.Minute
	verdictWithin = 5 * time.Second  // for all posters
	maxAhead      = 10 * time.Minute // by which a manifest's date may be ahead of the chain's
)

// ErrStranger says that somebody speaks in a role that it is not registered for.
var ErrStranger = errors.New("node: not registered in that role")

type topics struct{ models, adverts *p2p.Topic }

// join joins the topics. What is learned is read by the loops.
func (n *Node) join() (err error) {
	n.topics.models, err = n.host.Join(models.Topic, func(_ context.Context, _ peer.ID, b []byte) p2p.Verdict {
		m, err := n.models.Check(b)
		if err != nil {
			return p2p.Reject
		}
		_, now := n.view.Head()
		if _, ok := n.view.Nodes()[m.Owner]; !ok || m.Created > now+uint64(maxAhead/time.Second) {
			return p2p.Ignore // perhaps we have not read the chain that far
		}
		return p2p.Accept
	})
	if err != nil {
		return err
	}
	n.topics.adverts, err = n.host.Join(topicAdverts, func(_ context.Context, _ peer.ID, b []byte) p2p.Verdict {
		s, err := protocol.ParseSigned[protocol.Advert](b)
		if err != nil {
			return p2p.Reject
		}
		m, err := s.Open(n.book.Network)
		if err != nil {
			return p2p.Reject
		}
		if _, ok := n.view.Nodes()[m.Worker]; !ok {
			return p2p.Ignore // perhaps we have not read the chain that far
		}
		return p2p.Accept
	})
	return err
}

// handle serves the streams that peers open.
func (n *Node) handle() error {
	errs := []error{
		join.Shards{Host: n.host, Known: n.isNode}.Serve(n.serving),
		n.streams.Answer(datanet.Protocol, datanet.MaxRequest, n.datanets.Serve),
		n.streams.Handle(market.StreamSettle, n.submitter.Serve),
		n.streams.Handle(market.StreamDisclose, func(ctx context.Context, c market.Conn) error {
			return market.ServeDisclose(ctx, c, n.submitter, n.worker)
		}),
	}
	if n.worker != nil {
		errs = append(errs, n.streams.Handle(market.StreamJob, n.worker.Serve))
	}
	if n.home.Config.Has(home.Poster) {
		errs = append(errs, n.streams.Answer(streamVerdict, maxVerdict, n.takeVerdict), n.streams.Answer(streamReport, maxReport, n.takeReport))
	}
	return errors.Join(errs...)
}

// takeVerdict keeps a registered auditor's verdict, then acknowledges.
func (n *Node) takeVerdict(ctx context.Context, _ common.Address, b []byte) ([]byte, error) {
	s, err := protocol.ParseSigned[protocol.Verdict](b)
	if err != nil {
		return nil, err
	}
	v, err := s.Open(n.book.Network)
	if err != nil {
		return nil, err
	}
	if !n.registered(v.Auditor, home.ClassAudit) {
		return nil, fmt.Errorf("%w: %s is no auditor", ErrStranger, v.Auditor)
	}
	if _, now := n.view.Head(); v.Epoch > n.book.Params.EpochAt(now) { // it would be kept for good
		return nil, fmt.Errorf("%w: a verdict about epoch %d, which is to come", protocol.ErrDocument, v.Epoch)
	}
	if err := n.journal.AddVerdict(ctx, s); err != nil {
		return nil, err
	}
	return []byte{1}, nil
}

// isNode says whether an account is a registered node's.
func (n *Node) isNode(account common.Address) bool {
	_, ok := n.view.Nodes()[account]
	return ok
}

func (n *Node) registered(account common.Address, class string) bool {
	e, ok := n.view.Nodes()[account]
	return ok && slices.Contains(e.Classes, class)
}

// SendVerdict implements rewards.Courier: every bonded poster acknowledges, or it
// is an error and the auditor sends again, to those that did not. A poster without
// a bond cannot anchor, so it is not waited for.
func (n *Node) SendVerdict(ctx context.Context, s protocol.Signed[protocol.Verdict]) error {
	v, err := s.Open(n.book.Network)
	if err != nil {
		return err
	}
	if err := n.journal.AddVerdict(ctx, s); err != nil { // this node may post too
		return err
	}
	return n.toPosters(ctx, func(ctx context.Context, poster common.Address) error {
		return n.tellOnce(ctx, poster, v.Epoch, s.CID(), streamVerdict, s.Bytes())
	})
}

// learnModels keeps the manifests that are gossiped.
func (n *Node) learnModels(ctx context.Context) error {
	for m, err := range n.topics.models.Messages(ctx) {
		if err != nil {
			return ended(ctx, err)
		}
		if err := n.models.Learn(ctx, m.Data); err != nil {
			n.log.Warn("gossiped model not kept", "from", m.From, "err", err)
		}
	}
	return nil
}

// learnAdverts keeps the adverts that are gossiped, and says what this node
// offers.
func (n *Node) learnAdverts(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.advertise(ctx)
	}()
	defer func() { <-done }()
	for m, err := range n.topics.adverts.Messages(ctx) {
		if err != nil {
			return ended(ctx, err)
		}
		s, err := protocol.ParseSigned[protocol.Advert](m.Data)
		if err == nil {
			err = n.journal.AddAdvert(ctx, s)
		}
		if err != nil {
			n.log.Warn("gossiped advert not kept", "from", m.From, "err", err)
		}
	}
	return nil
}

func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// advertise gossips the node's advert when what it offers changes, and in time
// before the last one ends.
func (n *Node) advertise(ctx context.Context) {
	t := time.NewTicker(advertEvery)
	defer t.Stop()
	var last protocol.Advert
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		a, err := n.advert(ctx)
		if err != nil {
			n.log.Warn("advert not written", "err", err)
			continue
		}
		_, registered := n.view.Nodes()[n.me]
		same := slices.EqualFunc(a.Models, last.Models, func(x, y cid.Cid) bool { return x.Equals(y) })
		if !registered || a.Since == 0 || same && a.Since < last.Since+uint64(advertFor/time.Second)/3 {
			continue
		}
		s, err := protocol.Sign(n.book.Network, n.home.Key, a)
		if err == nil {
			err = n.topics.adverts.Publish(ctx, s.Bytes())
		}
		if err != nil {
			n.log.Warn("advert not sent", "err", err)
			continue
		}
		last = a
	}
}

// advert is what the node offers now.
func (n *Node) advert(ctx context.Context) (protocol.Advert, error) {
	_, now := n.view.Head()
	p := n.home.Config.Prices
	a := protocol.Advert{
		Worker: n.me, PriceIn: p.In, PriceOut: p.Out, PriceTrain: p.Train, PricePin: p.Pin,
		Since: now, Until: now + uint64(advertFor/time.Second), Capacity: 1,
	}
	for _, r := range n.home.Config.Roles {
		a.Engines = append(a.Engines, r.Class(n.engine.Class()))
	}
	list, err := n.models.List(ctx)
	if err != nil {
		return a, err
	}
	for _, m := range list {
		if m.Held && len(a.Models) < 64 {
			a.Models = append(a.Models, m.CID)
		}
	}
	return a, nil
}
