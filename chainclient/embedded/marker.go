package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"
)

const (
	markerName    = "chain.json"
	markerVersion = 1
	markerLimit   = 1 << 20
)

// marker says in the data directory what chain it holds. The chain id is not
// part of the genesis hash, so go-ethereum alone would open one chain under
// another's id; the allocation is kept so that reopening needs no memory of it.
type marker struct {
	Version int                         `json:"version"`
	ChainID uint64                      `json:"chainId"`
	Alloc   map[common.Address]*big.Int `json:"alloc"`
}

// checkMarker returns the allocation of the chain at path, writing the marker
// if there is none.
func checkMarker(path string, chainID uint64, alloc map[common.Address]*big.Int) (map[common.Address]*big.Int, error) {
	b, err := readBounded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return alloc, writeMarker(path, marker{markerVersion, chainID, alloc})
	} else if err != nil {
		return nil, fmt.Errorf("embedded: read marker: %w", err)
	}
	m, err := parseMarker(b)
	dir := filepath.Dir(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("embedded: %s: %w", path, err)
	case m.Version != markerVersion:
		return nil, fmt.Errorf("%w: %s has format %d, this program knows %d: use a newer program or another directory", ErrOtherChain, dir, m.Version, markerVersion)
	case m.ChainID != chainID:
		return nil, fmt.Errorf("%w: %s has chain id %d, configured is %d: use id %d or another directory", ErrOtherChain, dir, m.ChainID, chainID, m.ChainID)
	case alloc != nil && !sameAlloc(alloc, m.Alloc):
		return nil, fmt.Errorf("%w: %s began with another allocation: leave it out or use another directory", ErrOtherChain, dir)
	}
	return m.Alloc, nil
}

func parseMarker(b []byte) (marker, error) {
	var m marker
	if err := json.Unmarshal(b, &m); err != nil {
		return marker{}, fmt.Errorf("marker: %w", err)
	}
	for a, v := range m.Alloc {
		if v == nil || v.Sign() < 0 || v.BitLen() > 256 {
			return marker{}, fmt.Errorf("marker: allocation of %s is not a uint256", a)
		}
	}
	return m, nil
}

func readBounded(path string) ([]byte, error) {
	i, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if i.Size() > markerLimit {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, markerLimit)
	}
	return os.ReadFile(path)
}

// writeMarker is durable and whole once it returns nil.
func writeMarker(path string, m marker) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("embedded: write marker: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".chain-*")
	if err != nil {
		return fmt.Errorf("embedded: write marker: %w", err)
	}
	defer os.Remove(f.Name()) // gone already when renamed
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("embedded: write marker: %w", err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("embedded: write marker: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func sameAlloc(a, b map[common.Address]*big.Int) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || v.Cmp(w) != 0 {
			return false
		}
	}
	return true
}
