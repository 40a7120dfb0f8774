package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"tally/storage/car"
)

// ErrRemote says that a gateway did not give a block.
var ErrRemote = errors.New("gateway: the gateway gives no such block")

// lanes is how many blocks one GetBlocks asks for at once.
const lanes = 4

// Remote reads blocks from a trustless gateway. It is a storage.Exchange; it
// does not check blocks, whoever stores them does.
type Remote struct {
	base   string
	client *http.Client
}

// NewRemote returns the exchange over the gateway at base, such as
// "http://127.0.0.1:8080". A nil client is http.DefaultClient.
func NewRemote(base string, client *http.Client) (*Remote, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("gateway: %q is no gateway's address: write it as http://HOST:PORT", base)
	}
	if client == nil {
		client = http.DefaultClient
	}
	return &Remote{strings.TrimSuffix(u.String(), "/"), client}, nil
}

// GetBlock asks for one block.
func (r *Remote) GetBlock(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/ipfs/"+c.String()+"?format=raw", nil)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	req.Header.Set("Accept", "application/vnd.ipld.raw")
	res, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("gateway: get %s: %w", c, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s: status %s", ErrRemote, c, res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, car.MaxBlock+1))
	if err != nil {
		return nil, fmt.Errorf("gateway: get %s: %w", c, err)
	}
	if len(data) > car.MaxBlock {
		return nil, fmt.Errorf("gateway: get %s: more than %d bytes: %w", c, car.MaxBlock, car.ErrBlockSize)
	}
	return blocks.NewBlockWithCid(data, c)
}

// GetBlocks asks for several, a few at a time. The channel is closed after the
// last or after the first that did not come; what is missing then was not given.
func (r *Remote) GetBlocks(ctx context.Context, cs []cid.Cid) (<-chan blocks.Block, error) {
	ctx, cancel := context.WithCancel(ctx)
	out, next := make(chan blocks.Block), make(chan cid.Cid, len(cs))
	for _, c := range cs {
		next <- c
	}
	close(next)
	var wg sync.WaitGroup
	for range min(lanes, len(cs)) {
		wg.Go(func() {
			for c := range next {
				b, err := r.GetBlock(ctx, c)
				if err != nil {
					cancel()
					return
				}
				select {
				case out <- b:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		wg.Wait()
		cancel()
		close(out)
	}()
	return out, nil
}
