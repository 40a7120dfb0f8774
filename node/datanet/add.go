package datanet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"

	"tally/internal/kv"
	"tally/node/datanet/cut"
	"tally/node/datanet/intake"
	"tally/node/datanet/known"
	"tally/protocol"
	"tally/storage"
	"tally/storage/records"
	"tally/storage/sealed"
)

// Options say how data is added.
type Options struct {
	Accept    bool   // data that stands in others' shards in part is meant to
	CAR       bool   // the data is a shard's CAR file
	ShardSize uint64 // most bytes of data in one shard; 0 is as many as fit
}

// Addition is a shard that was added.
type Addition struct {
	protocol.Shard
	Text    uint64        // bytes of its records' text
	Preview []string      // first records, as printable lines
	Matches []known.Match // where it, or part of it, was contributed before
	Again   bool          // the datanet listed it already
}

// Added is what Add did.
type Added struct {
	Version Version
	Shards  []Addition
}

const (
	maxParts = 256  // shards of one Add
	leastCut = 1024 // bytes of data in a shard of chosen size
	inFlight = 8    // commitments at a time
)

// Add contributes data: see the package comment. The version returned lists every shard. Adding
// the same public data again after a failure goes on with what was committed.
func (s *Service) Add(ctx context.Context, c cid.Cid, data io.Reader, o Options) (Added, error) {
	v, err := s.Head(ctx, c)
	if err != nil {
		return Added{}, err
	}
	if err := records.Validate(v.Manifest.Schema, v.Manifest.Field); err != nil {
		return Added{}, fmt.Errorf("%w: %w", ErrText, err)
	}
	if err := s.learn(ctx, v); err != nil {
		s.c.Logger.Warn("sketches of a datanet are not here, so copies of its shards may not be seen", "datanet", v.Origin, "err", err)
	}
	if err := s.forget(ctx); err != nil {
		return Added{}, err
	}
	parts, err := s.prepareAll(ctx, v, data, o)
	if err != nil {
		return Added{}, err
	}
	return s.contribute(ctx, v, parts, o)
}

// prepared is a shard that is imported and that nobody knows of yet.
type prepared struct {
	Addition
	sketch []byte // document
	con    protocol.Signed[protocol.Contribution]
}

func (s *Service) prepareAll(ctx context.Context, v Version, data io.Reader, o Options) ([]prepared, error) {
	if o.CAR {
		p, err := s.prepareCAR(ctx, v, data)
		if err != nil {
			return nil, err
		}
		return []prepared{p}, s.judge(v, &p, o)
	}
	// The blocks around the data take less than one part in 512; sealing takes less than another.
	most := int64(s.c.MaxShard - s.c.MaxShard/256 - 4096)
	if o.ShardSize > 0 {
		if o.ShardSize < leastCut {
			return nil, fmt.Errorf("%w: shards of %d bytes: choose %d at least", ErrText, o.ShardSize, leastCut)
		}
		most = min(most, int64(o.ShardSize))
	}
	var out []prepared
	for part, err := range cut.Parts(v.Manifest.Schema, data, most) {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrText, err)
		}
		if len(out) == maxParts {
			return nil, fmt.Errorf("%w: more than %d shards: add it as several files", ErrText, maxParts)
		}
		p, err := s.prepare(ctx, v, part)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(x prepared) bool { return x.Root.Equals(p.Root) }) {
			continue
		}
		if err := s.judge(v, &p, o); err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: there is nothing in it: add a file with records", ErrText)
	}
	return out, nil
}

// prepare checks a part, then imports it. Nothing that does not fit the schema gets into the
// store.
func (s *Service) prepare(ctx context.Context, v Version, part io.Reader) (p prepared, err error) {
	err = intake.Spool(s.c.Temp, part, func(f io.ReadSeeker) error {
		in, err := intake.Read(ctx, v.Manifest, f)
		if err != nil {
			return err
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("datanet: %w", err)
		}
		sh, err := intake.Import(ctx, v.Manifest.Reader, f, func(ctx context.Context, r io.Reader) (storage.Shard, error) {
			return s.c.Shards.ImportFile(ctx, r, hiddenFor(v))
		})
		if err != nil {
			return fmt.Errorf("datanet: import: %w", err)
		}
		if err := s.settled(ctx, v, sh.Root); err != nil {
			return err
		}
		p = prepareOf(v, in, sh)
		return nil
	})
	if errors.Is(err, cut.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrText, err)
	}
	return p, err
}

// prepareCAR takes a shard as it is. One of a private datanet must be one that this node can open: else it is
// hidden if it came now, as perhaps it was not meant for others, until it is collected; and stays as it
// was if it was here.
func (s *Service) prepareCAR(ctx context.Context, v Version, data io.Reader) (prepared, error) {
	sh, err := s.c.Shards.ImportCAR(ctx, data, hiddenFor(v))
	if err != nil {
		return prepared{}, fmt.Errorf("%w: it is not taken as a shard's CAR file (what is none is added without --car): %w", ErrText, err)
	}
	f, err := s.openHeld(ctx, v, sh.Root)
	if errors.Is(err, sealed.ErrForeign) || errors.Is(err, sealed.ErrTruncated) {
		err = fmt.Errorf("%w: shard %s is not encrypted, and %q is private: add its data as a file, without --car: %w", ErrRefused, sh.Root, v.Manifest.Name, err)
	}
	if err != nil {
		return prepared{}, err
	}
	defer f.Close()
	in, err := intake.Read(ctx, v.Manifest, f)
	if err != nil {
		return prepared{}, err
	}
	return prepareOf(v, in, sh), s.settled(ctx, v, sh.Root)
}

// hiddenFor is the datanet as whose a new shard is imported: none where all may see it.
func hiddenFor(v Version) cid.Cid {
	if v.Manifest.Reader == "" {
		return cid.Undef
	}
	return v.Origin
}

// settled marks what was here before it was added to a private datanet, and shows what was
// hidden here by mistake and is added to a public one.
func (s *Service) settled(ctx context.Context, v Version, root cid.Cid) error {
	if v.Manifest.Reader != "" || s.c.Privacy == nil {
		return s.Hide(ctx, v, root)
	}
	of, private := s.c.Privacy.Private(root)
	if !private || s.CanBe(ctx, of, root) {
		return nil
	}
	if err := s.c.Privacy.SetPrivate(ctx, root, cid.Undef); err != nil {
		return fmt.Errorf("datanet: show shard %s: %w", root, err)
	}
	return nil
}

func prepareOf(v Version, in intake.Reading, sh storage.Shard) prepared {
	p := prepared{sketch: in.Sketch}
	p.Text, p.Preview, p.Records = in.Text, in.Preview, in.Records
	p.Root, p.Piece, p.Size = sh.Root, common.Hash(sh.Piece), sh.Size
	if v.Manifest.Reader == "" {
		p.Sketch = protocol.CIDOf(in.Sketch)
	}
	return p
}

// judge finds where a shard was contributed before, and refuses what is listed and what nobody said
// is meant. Whether a sketch that says nearly the same is true, the owner finds out.
func (s *Service) judge(v Version, p *prepared, o Options) error {
	if x, err := v.Shard(p.Root); err == nil && x.Contributor == s.me {
		p.Shard, p.Again = x, true
		return nil
	}
	if _, err := s.get(pendingKey(v.Origin, p.Root)); err == nil {
		return nil // committed, perhaps before the others: the owner sees which is first
	}
	matches, err := s.known.Exact(p.Root)
	if err != nil {
		return err
	}
	sketch, err := known.Decode(p.sketch)
	if err != nil {
		return err
	}
	like, err := s.known.Like(sketch)
	if err != nil {
		return err
	}
	for _, m := range like {
		if !slices.ContainsFunc(matches, func(x known.Match) bool { return x.Root.Equals(m.Root) && x.Datanet.Equals(m.Datanet) }) {
			matches = append(matches, m)
		}
	}
	p.Matches = matches
	for _, m := range matches {
		switch here := m.Datanet.Equals(v.Origin); {
		case m.Contributor == s.me:
		case here && m.Root.Equals(p.Root):
			return fmt.Errorf("%w: %s", ErrDuplicate, m)
		case here && withdrawn(v, m.Root):
		case m.Part() >= NearPart && !o.Accept:
			return fmt.Errorf("%w: %s: add it with --accept-duplicates if that is meant", ErrDuplicate, m)
		}
	}
	return nil
}

// contribute commits all parts, then shows and reveals them.
func (s *Service) contribute(ctx context.Context, v Version, parts []prepared, o Options) (Added, error) {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(inFlight)
	for i := range parts {
		p := &parts[i]
		if p.Again {
			continue
		}
		if err := s.sign(v, p); err != nil {
			return Added{}, errors.Join(err, g.Wait())
		}
		g.Go(func() error {
			in, err := p.con.Open(s.c.Network)
			if err != nil {
				return err
			}
			digest, err := in.Commitment()
			if err != nil {
				return err
			}
			p.Committed, err = s.c.Chain.Commit(gctx, digest)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Added{}, fmt.Errorf("datanet: commit to the contribution: %w", err)
	}
	out := Added{Version: v}
	for _, p := range parts {
		next, err := s.offer(ctx, v, &p, o)
		if err != nil {
			return out, err
		}
		out.Version, v = next, next
		out.Shards = append(out.Shards, p.Addition)
	}
	return out, nil
}

// offer shows a part to everybody and reveals it to the owner, unless it is listed. It returns the version that
// lists it.
func (s *Service) offer(ctx context.Context, v Version, p *prepared, o Options) (next Version, err error) {
	done, err := s.show(ctx, p.Root, "datanet "+v.Manifest.Name)
	if err != nil {
		return Version{}, err
	}
	defer func() { done(err) }()
	if !p.Again {
		if v, err = s.reveal(ctx, v, *p, o); err != nil {
			return Version{}, err
		}
	}
	shard, err := v.Shard(p.Root)
	if err != nil || shard.Contributor != s.me {
		return Version{}, fmt.Errorf("%w: the owner's version %d does not list shard %s by %s", ErrDatanet, v.Manifest.Version, p.Root, s.me)
	}
	p.Shard = shard
	e := entry(v, shard)
	e.Sketch = protocol.CIDOf(p.sketch)
	return v, errors.Join(s.known.Put(e, p.sketch), s.drop(pendingKey(v.Origin, p.Root)))
}

// sign signs a part's contribution and keeps it, salt included, before it is committed; a
// contribution that was kept is taken up again.
func (s *Service) sign(v Version, p *prepared) error {
	key := pendingKey(v.Origin, p.Root)
	b, err := s.get(key)
	if err == nil {
		p.con, err = protocol.ParseSigned[protocol.Contribution](b)
		return err
	}
	if !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	in := protocol.Contribution{
		Datanet: v.Origin, Root: p.Root, Piece: p.Piece, Size: p.Size, Records: p.Records, Contributor: s.me, Sketch: p.Sketch,
	}
	if _, err := rand.Read(in.Salt[:]); err != nil {
		return fmt.Errorf("datanet: %w", err)
	}
	if p.con, err = protocol.Sign(s.c.Network, s.c.Key, in); err != nil {
		return err
	}
	return s.set(key, p.con.Bytes())
}

// reveal shows a committed contribution to the owner.
func (s *Service) reveal(ctx context.Context, v Version, p prepared, o Options) (Version, error) {
	r := reveal{Contribution: p.con.Bytes(), Accept: o.Accept}
	if p.Sketch.Defined() {
		r.Sketch = p.sketch
		if _, err := s.c.Documents.Put(ctx, p.sketch, "sketch "+p.Root.String()); err != nil {
			return Version{}, err
		}
	}
	if v.Manifest.Owner == s.me {
		return s.accept(ctx, r)
	}
	body, err := protocol.Encode(r)
	if err != nil {
		return Version{}, err
	}
	b, err := s.ask(ctx, v.Manifest.Owner, opContribute, body)
	if err != nil {
		return Version{}, fmt.Errorf("datanet: contribute to %s: %w", v.Manifest.Owner, err)
	}
	return s.answered(ctx, v, b)
}
