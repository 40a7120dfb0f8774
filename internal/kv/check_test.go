package kv

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const childDir = "TALLY_KV_DIR" // what a child opens and reads

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := readAll(dir); err != nil {
			fmt.Println("refused:", err)
			os.Exit(0)
		}
		fmt.Println("read")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func readAll(dir string) error {
	db, err := Open(dir, Options{Sync: true})
	if err != nil {
		return err
	}
	err = db.View(func(tx *Tx) error {
		for _, err := range tx.Scan(nil) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return db.Close()
}

// filled is a directory with several tables, a log that was not flushed, and
// values large enough for a log of their own.
func filled(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for round := range 3 {
		db, err := Open(dir, Options{Sync: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			err := db.Update(func(tx *Tx) error {
				for j := range 50 {
					if err := tx.Set(fmt.Appendf(nil, "%d/%d/%d", round, i, j), bytes.Repeat([]byte{byte(j)}, 100+j)); err != nil {
						return err
					}
				}
				return tx.Set(fmt.Appendf(nil, "large/%d/%d", round, i), make([]byte, 1<<20))
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestADamagedTableIsAnErrorNeverACrash(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := filled(t)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("%v, %v", tables, err)
	}
	whole := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for range 12 {
		name := tables[rng.IntN(len(tables))]
		good := whole(name)
		bad := bytes.Clone(good)
		at := rng.IntN(len(bad))
		switch rng.IntN(4) {
		case 0:
			bad = bad[:at]
		case 1:
			clear(bad[at:min(len(bad), at+512)])
		case 2:
			bad[at] ^= byte(1 + rng.IntN(255))
		case 3: // the lengths at the end
			bad[len(bad)-1-rng.IntN(16)] ^= byte(1 + rng.IntN(255))
		}
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		c := exec.CommandContext(t.Context(), os.Args[0])
		c.Env = append(os.Environ(), childDir+"="+dir)
		out, err := c.CombinedOutput()
		if err != nil || !bytes.Equal(bad, good) && !strings.Contains(string(out), "kv: database is damaged") {
			t.Errorf("damage at %d of %d: %v: %.2000s", at, len(good), err, out)
		}
		if err := os.WriteFile(name, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := readAll(dir); err != nil {
		t.Errorf("the whole database: %v", err)
	}
}

func TestLogsWithoutAByteKeepNoDatabaseFromOpening(t *testing.T) {
	dir := filled(t)
	for _, name := range []string{"000077.vlog", "00077.mem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := readAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 24))
	f.Fuzz(func(t *testing.T, b []byte) {
		if checkTable(b) == nil {
			t.Errorf("%x is a table", b)
		}
	})
}

func TestTableUnderWayWhenTheProgramDiedIsNoDamage(t *testing.T) {
	dir := filled(t)
	if err := os.WriteFile(filepath.Join(dir, "009999.sst"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	if err := readAll(dir); !errors.Is(err, ErrBroken) {
		t.Fatal("began anew without its manifest", err)
	}
}

func TestDamageUnderARunningProgramIsItsOwnBusiness(t *testing.T) {
	dir := filled(t)
	db, err := Open(dir, Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	if err := os.Rename(tables[0], tables[0]+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatal(err)
	}
	if err := os.Rename(tables[0]+".away", tables[0]); err != nil {
		t.Fatal(err)
	}
}
