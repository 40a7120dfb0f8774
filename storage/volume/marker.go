package volume

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MarkerName is the file at the top of a volume that says which store it is:
// {"version":1,"id":"32 hex digits"}.
const MarkerName = "tally-store.json"

const (
	markerVersion = 1
	maxMarker     = 4 << 10
)

// ErrMarker says that a directory is not, or no longer, the expected store.
var ErrMarker = errors.New("volume: the store's marker file is not there: mount its disk, or start anew there with `tally storage init`")

type marker struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
}

// parseMarker reads the content of a marker file.
func parseMarker(b []byte) (id string, err error) {
	var m marker
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return "", fmt.Errorf("marker does not decode: %w", err)
	}
	if m.Version != markerVersion {
		return "", fmt.Errorf("marker has version %d, this program knows %d: use a newer one", m.Version, markerVersion)
	}
	if !validID(m.ID) {
		return "", errors.New("marker has no id of 32 hex digits")
	}
	return m.ID, nil
}

func validID(id string) bool {
	b, err := hex.DecodeString(id)
	return err == nil && len(b) == 16 && hex.EncodeToString(b) == id
}

func readMarker(dir string) (id string, err error) {
	f, err := os.Open(filepath.Join(dir, MarkerName))
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxMarker))
	if err != nil {
		return "", err
	}
	return parseMarker(b)
}

// Check returns ErrMarker unless the volume is still where it was opened. It
// reads one small file.
func (v *Volume) Check() error {
	id, err := readMarker(v.dir)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", v.dir, ErrMarker, err)
	}
	if id != v.id {
		return fmt.Errorf("%s: store %s is there, not %s: %w", v.dir, id, v.id, ErrMarker)
	}
	return nil
}

// openMarker returns the id of the store in dir, which it makes a store only
// where create says so, or where nothing is there and nothing was expected.
func openMarker(dir, expect string, create bool) (id string, err error) {
	id, err = readMarker(dir)
	switch {
	case err == nil && (expect == "" || id == expect):
		return id, nil
	case err == nil:
		return "", fmt.Errorf("%s: store %s is there, not %s: %w", dir, id, expect, ErrMarker)
	case create:
	case !errors.Is(err, os.ErrNotExist) || expect != "":
		return "", fmt.Errorf("%s: %w: %w", dir, ErrMarker, err)
	default:
		if empty, e := isEmpty(dir); e != nil {
			return "", fmt.Errorf("volume: open: %w", e)
		} else if !empty {
			return "", fmt.Errorf("%s holds something else: %w: %w", dir, ErrMarker, err)
		}
	}
	var raw [16]byte
	_, _ = rand.Read(raw[:])
	id = hex.EncodeToString(raw[:])
	return id, writeMarker(dir, id)
}

// isEmpty says whether a directory is missing, or holds nothing but what mkfs
// and a crash of writeMarker leave.
func isEmpty(dir string) (bool, error) {
	es, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range es {
		if e.Name() != "lost+found" && e.Name() != MarkerName+".new" {
			return false, nil
		}
	}
	return true, nil
}

func writeMarker(dir, id string) error {
	b, err := json.Marshal(marker{markerVersion, id})
	if err != nil {
		return fmt.Errorf("volume: write marker: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("volume: write marker: %w", err)
	}
	path := filepath.Join(dir, MarkerName)
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("volume: write marker: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("volume: write marker: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("volume: write marker: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("volume: write marker: %w", err)
	}
	return nil
}
