package workbench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"

	"tally/internal/resident"
	"tally/p2p"
	"tally/storage"
	"tally/storage/car"
	"tally/storage/shardstream"
)

// benchNetwork is the network of two processes that measure.
const benchNetwork = "bench-00000000"

// Holding is what a process says that holds a store for another, at first and once
// for each line that it is sent.
type Holding struct {
	Addrs    []string `json:"addrs"`          // of its host, with the peer ID
	Resident int64    `json:"resident_bytes"` // memory
	Private  int64    `json:"private_bytes"`  // of it, what is no page of a file
}

// Hold opens the store in dir, serves its shards at the address, says so on out and
// goes on until in or ctx ends.
func Hold(ctx context.Context, dir, listen string, in io.Reader, out io.Writer) (err error) {
	s, err := storage.Open(storage.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	h, err := benchHost(ctx, listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	v, err := shardstream.NewServer(shardstream.ServerConfig{Store: s})
	if err != nil {
		return err
	}
	err = h.Handle(shardstream.Name, p2p.Limits{}, func(ctx context.Context, id peer.ID, st *p2p.Stream) error {
		return v.Serve(ctx, shardstream.Asker{Peer: id}, st)
	})
	if err != nil {
		return err
	}
	lines := make(chan struct{})
	go func() {
		defer close(lines)
		for r := bufio.NewScanner(in); r.Scan(); {
			select {
			case lines <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	say := Holding{}
	for _, a := range h.Addrs() {
		say.Addrs = append(say.Addrs, a.String())
	}
	_, _ = resident.Trim() // as a node does, and only once; where it fails more is resident
	for more := true; more; {
		say.Resident, say.Private = rss(), private()
		if err := json.NewEncoder(out).Encode(say); err != nil {
			return fmt.Errorf("workbench: %w", err)
		}
		select {
		case _, more = <-lines:
		case <-ctx.Done():
			more = false
		}
	}
	return nil
}

func benchHost(ctx context.Context, listen string) (*p2p.Host, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return nil, fmt.Errorf("workbench: %w", err)
	}
	return p2p.Listen(ctx, p2p.Config{Key: key, Network: benchNetwork, Profile: p2p.ProfileTest, Listen: []string{listen}})
}

// holder is the other process.
type holder struct {
	Holding
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
	err bytes.Buffer
}

// hold starts a process that holds dir and waits until it serves.
func (b *storageBench) hold(ctx context.Context, dir, listen string) (*holder, error) {
	cmd, err := b.c.Holder(ctx, dir, listen)
	if err != nil {
		return nil, err
	}
	h := &holder{cmd: cmd}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	h.in, h.out, cmd.Stderr = in, json.NewDecoder(out), &h.err
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if err := h.out.Decode(&h.Holding); err != nil {
		return nil, errors.Join(fmt.Errorf("the other process says nothing: %w", err), h.end())
	}
	return h, nil
}

// rest asks until the memory of the process stays what it is for a while: an index
// that was just filled is still being sorted when it is opened.
func (h *holder) rest(ctx context.Context) error {
	for same, last := 0, h.Resident; same < 5; {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := io.WriteString(h.in, "again\n"); err != nil {
			return err
		}
		if err := h.out.Decode(&h.Holding); err != nil {
			return err
		}
		same++
		if h.Resident < last-last/50 || h.Resident > last+last/50 {
			last, same = h.Resident, 0
		}
	}
	return nil
}

// end ends the process and waits for it.
func (h *holder) end() error {
	err := h.in.Close()
	if e := h.cmd.Wait(); e != nil {
		err = fmt.Errorf("the other process: %w: %s", e, h.err.Bytes())
	}
	return err
}

// pair is the network of a process and the one that it fetches from.
type pair struct {
	*p2p.Host
	other peer.ID
}

func (p pair) Open(ctx context.Context, id peer.ID) (shardstream.Conn, error) {
	return p.Host.Open(ctx, id, shardstream.Name)
}

func (p pair) Holders(context.Context, cid.Cid) iter.Seq2[peer.ID, error] {
	return func(yield func(peer.ID, error) bool) { yield(p.other, nil) }
}

// fetch measures from the request to the durable shard, connected before.
func (b *storageBench) fetch(ctx context.Context, listen string, rate *float64) (err error) {
	h, err := b.hold(ctx, b.store(), listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.end()) }()
	dir := filepath.Join(b.dir, "fetched")
	s, err := storage.Open(storage.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(), os.RemoveAll(dir)) }()
	host, err := benchHost(ctx, listen)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	p := pair{Host: host}
	for _, a := range h.Addrs {
		m, err := multiaddr.NewMultiaddr(a)
		if err != nil {
			return err
		}
		at, err := peer.AddrInfoFromP2pAddr(m)
		if err != nil {
			return err
		}
		if err := host.Connect(ctx, *at); err != nil {
			return err
		}
		p.other = at.ID
	}
	f, err := shardstream.NewFetcher(shardstream.Config{Store: s, Network: p, NoBlocks: true})
	if err != nil {
		return err
	}
	start := time.Now()
	got, err := f.Fetch(ctx, shardstream.Want{Root: b.shard.Root, Piece: b.shard.Piece, Size: b.shard.Size}, nil)
	if err != nil {
		return err
	}
	*rate = b.rate(time.Since(start))
	if got != b.shard {
		return fmt.Errorf("%w: fetched %+v, not %+v", ErrBench, got, b.shard)
	}
	return nil
}

func cidOf(codec uint64, data []byte) (cid.Cid, error) {
	h, err := multihash.Sum(data, multihash.SHA2_256, -1)
	if err != nil {
		return cid.Undef, fmt.Errorf("workbench: %w", err)
	}
	return cid.NewCidV1(codec, h), nil
}

func putSmall(ctx context.Context, s *storage.Store, root cid.Cid, blocks map[cid.Cid][]byte) error {
	var file bytes.Buffer
	get := func(_ context.Context, c cid.Cid) ([]byte, error) { return blocks[c], nil }
	if _, err := car.Write(ctx, &file, root, 0, get, nil); err != nil {
		return err
	}
	_, err := s.ImportCAR(ctx, &file, root)
	return err
}
