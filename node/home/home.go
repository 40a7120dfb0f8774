// Package home is a node's data directory: who the node is, what it does and
// which network it belongs to.
//
// Init makes the directory, with the one key of the node (readable by its owner
// only) and config.json. Open locks it for one process, so that a second node on
// the same directory ends in ErrInUse, and Bind writes down the network that its
// contents belong to: on another network the directory is refused with
// ErrNetwork, since its pins, receipts and vouchers would mean nothing there.
//
//	key            the secp256k1 private key, hex: it signs everything
//	config.json    Config
//	book.json      the address book of the network: contracts and times
//	network        the id of the network that the rest belongs to
//	token          the secret of the local API and the OpenAI endpoint
//	lock           held while a node runs
//	api.sock       the local API (or api.addr where a socket's path is too long)
//	models/        models laid out as files for the engine; can be deleted while no node runs
//	chain/ p2p/ storage/ ledger/ journal/ sender/ watch/ jobs/ node/   each part's own
//
// Config is immutable once read. A Home is safe for concurrent use.
package home

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/gofrs/flock"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"

	"tally/p2p"
	"tally/protocol"
)

var (
	// ErrInUse says that another process runs on the directory.
	ErrInUse = errors.New("home: data directory in use: stop the other node or choose another directory with --data")
	// ErrNetwork says that the directory belongs to another network.
	ErrNetwork = errors.New("home: the data directory belongs to another network")
	// ErrExists says that Init would overwrite a node.
	ErrExists = errors.New("home: there is a node already")
	// ErrMissing says that there is no node in the directory.
	ErrMissing = errors.New("home: no node here: make one with 'tally init'")
	// ErrConfig is the class of every fault of a Config.
	ErrConfig = errors.New("home: config")
)

// Role is something that a node does for others.
type Role string

// The roles. A node without any still has the API, publishes and submits.
const (
	Worker  Role = "worker"  // trains and answers
	Pinner  Role = "pinner"  // keeps shards and weights
	Auditor Role = "auditor" // re-executes and re-derives
	Poster  Role = "poster"  // closes epochs
)

// Class is what the registry calls a role.
func (r Role) Class(engine string) string {
	switch r {
	case Worker:
		return engine
	case Pinner:
		return ClassPin
	case Auditor:
		return ClassAudit
	case Poster:
		return ClassPost
	}
	return string(r)
}

// The registry's classes of roles that are no engines.
const (
	ClassPin   = "pin/1"
	ClassAudit = "audit/1"
	ClassPost  = "post/1"
)

// Prices are what the node asks, in the token's smallest unit.
type Prices struct {
	In    protocol.Amount `json:"in"`    // per 1000 tokens read
	Out   protocol.Amount `json:"out"`   // per 1000 tokens written
	Train protocol.Amount `json:"train"` // per 1000 tokens trained
	Pin   protocol.Amount `json:"pin"`   // per MiB and hour
}

// Config is what the operator decided.
type Config struct {
	Network   string          `json:"network"`                   // the name part of the network's id
	Roles     []Role          `json:"roles"`                     // none: a node that only submits and publishes
	Payout    common.Address  `json:"payout"`                    // zero: the node's own account
	RPC       []string        `json:"rpc"`                       // endpoints of the chain; none: the embedded chain
	Listen    []string        `json:"listen"`                    // multiaddrs; none: free loopback ports
	Bootstrap []string        `json:"bootstrap"`                 // multiaddrs with /p2p/…
	Profile   p2p.Profile     `json:"profile"`                   // "lan" or "test"
	OpenAI    string          `json:"openai"`                    // host:port on loopback of the OpenAI-compatible API; "" is a free port
	Prices    Prices          `json:"prices"`                    //
	Threads   int             `json:"threads,omitempty"`         // of the engine; 0: one per processor
	MaxShard  int64           `json:"max_shard,omitempty"`       // bytes; 0: 1 GiB
	Shelf     int64           `json:"model_cache,omitempty"`     // bytes of models laid out for the engine; 0: DefaultShelf
	Memory    int64           `json:"memory,omitempty"`          // bytes that the engine may take for requests under way, and again for weights that it converts; 0: DefaultMemory
	Training  int64           `json:"training_memory,omitempty"` // bytes that one training may take beside; 0: the engine's default, 16 GiB
	MaxLock   protocol.Amount `json:"max_lock"`                  // the most a session of inference may lock; 0: DefaultMaxLock
	Quota     int64           `json:"storage_quota,omitempty"`   // bytes of everything kept for the network; 0: DefaultQuota; -1: none
	Floor     int64           `json:"disk_floor,omitempty"`      // bytes of the disk that are left free; 0: DefaultFloor; -1: none
	Up        int64           `json:"bandwidth_up,omitempty"`    // bytes a second of shards sent; 0: DefaultUp; -1: no limit
	Down      int64           `json:"bandwidth_down,omitempty"`  // bytes a second of shards fetched; 0: DefaultDown; -1: no limit
	ScrubDays int             `json:"scrub_days,omitempty"`      // in which every shard is read once; 0: DefaultScrub; -1: never
	Volunteer bool            `json:"volunteer,omitempty"`       // a pinner that also keeps what pin offers on the chain lack holders for, unpaid
	Gateway   string          `json:"gateway,omitempty"`         // host:port of the trustless IPFS gateway; "": a free loopback port; "off"
}

// Bounds where the config names none, in bytes.
const (
	DefaultShelf  = 16 << 30
	DefaultMemory = 2 << 30

	leastRoom = 64 << 20
)

// What storage may take where the config says nothing: see
// docs/RATIONALE.md#why-these-limits-of-disk-and-line.
const (
	DefaultQuota = 100 << 30 // bytes
	DefaultFloor = 2 << 30   // bytes
	DefaultUp    = 8 << 20   // bytes a second
	DefaultDown  = 64 << 20  // bytes a second
	DefaultScrub = 30        // days

	// Off in Gateway means that there is none.
	Off = "off"
)

// Limit is a bound where 0 stands for a default and -1 for none, which is 0 to
// whoever is given it.
func Limit(set, byDefault int64) int64 {
	switch set {
	case 0:
		return byDefault
	case -1:
		return 0
	}
	return set
}

// DefaultMaxLock is 100 tokens.
var DefaultMaxLock = protocol.Tokens(100)

// spelt writes out what storage may take, for the owner to see and to change.
func (c Config) spelt() Config {
	c.Quota, c.Floor = cmp.Or(c.Quota, DefaultQuota), cmp.Or(c.Floor, DefaultFloor)
	c.Up, c.Down, c.ScrubDays = cmp.Or(c.Up, DefaultUp), cmp.Or(c.Down, DefaultDown), cmp.Or(c.ScrubDays, DefaultScrub)
	return c
}

// SessionLimit is the most that a session of inference may lock, whatever the
// owner of the model asks.
func (c Config) SessionLimit() protocol.Amount {
	if c.MaxLock.IsZero() {
		return DefaultMaxLock
	}
	return c.MaxLock
}

// ShelfLimit is how many bytes of models are laid out for the engine.
func (c Config) ShelfLimit() int64 {
	if c.Shelf == 0 {
		return DefaultShelf
	}
	return c.Shelf
}

// MemoryLimit is how many bytes the engine may take for requests under way.
func (c Config) MemoryLimit() int64 {
	if c.Memory == 0 {
		return DefaultMemory
	}
	return c.Memory
}

// Has reports whether the node has the role.
func (c Config) Has(r Role) bool { return slices.Contains(c.Roles, r) }

// Validate says what is wrong and what to write instead.
func (c Config) Validate() error {
	for _, r := range c.Roles {
		if r != Worker && r != Pinner && r != Auditor && r != Poster {
			return fmt.Errorf("%w: role %q: use worker, pinner, auditor, poster", ErrConfig, r)
		}
	}
	for i, s := range c.RPC {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) {
			return fmt.Errorf("%w: rpc endpoint %d: write a URL such as http://127.0.0.1:8545", ErrConfig, i+1) // it may hold a secret
		}
	}
	if _, err := c.Peers(); err != nil {
		return err
	}
	for _, s := range c.Listen {
		if err := listenable(s); err != nil {
			return fmt.Errorf("%w: listen %q: write a multiaddr such as /ip4/127.0.0.1/tcp/4001 or /ip4/127.0.0.1/udp/4001/quic-v1: %w", ErrConfig, s, err)
		}
	}
	if c.Profile != p2p.ProfileLAN && c.Profile != p2p.ProfileTest {
		return fmt.Errorf("%w: profile %q: use %s or %s", ErrConfig, c.Profile, p2p.ProfileLAN, p2p.ProfileTest)
	}
	if err := loopback(c.OpenAI); err != nil {
		return fmt.Errorf("%w: openai %q: %w", ErrConfig, c.OpenAI, err)
	}
	if err := c.validateStorage(); err != nil {
		return err
	}
	if c.Threads < 0 || c.Threads > 1024 {
		return fmt.Errorf("%w: threads %d: use 0 for one per processor", ErrConfig, c.Threads)
	}
	for _, f := range []struct {
		name  string
		value int64
	}{{"model_cache", c.Shelf}, {"memory", c.Memory}, {"training_memory", c.Training}} {
		if f.value != 0 && f.value < leastRoom {
			return fmt.Errorf("%w: %s %d: write bytes, such as %d, or 0 for the default", ErrConfig, f.name, f.value, int64(DefaultMemory))
		}
	}
	return nil
}

func (c Config) validateStorage() error {
	for _, f := range []struct {
		name         string
		value, least int64
	}{{"storage_quota", c.Quota, leastRoom}, {"disk_floor", c.Floor, 1}, {"bandwidth_up", c.Up, 64 << 10}, {"bandwidth_down", c.Down, 64 << 10}} {
		if f.value != 0 && f.value != -1 && f.value < f.least {
			return fmt.Errorf("%w: %s %d: write bytes, at least %d; 0 for the default, -1 for no limit", ErrConfig, f.name, f.value, f.least)
		}
	}
	if c.ScrubDays < -1 || c.ScrubDays > 3650 {
		return fmt.Errorf("%w: scrub_days %d: write 1 to 3650 days, 0 for the default, -1 for never", ErrConfig, c.ScrubDays)
	}
	if c.Gateway == "" || c.Gateway == Off {
		return nil
	}
	_, port, err := net.SplitHostPort(c.Gateway)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%w: gateway %q: write host:port, such as 127.0.0.1:8081, or %q", ErrConfig, c.Gateway, Off)
	}
	return nil
}

// listenable says whether a node can listen on a multiaddr: TCP or QUIC on an IP
// address.
func listenable(s string) error {
	a, err := multiaddr.NewMultiaddr(s)
	if err != nil {
		return err
	}
	var codes []int
	for _, p := range a.Protocols() {
		codes = append(codes, p.Code)
	}
	ip := len(codes) > 0 && (codes[0] == multiaddr.P_IP4 || codes[0] == multiaddr.P_IP6)
	if !ip || !slices.Equal(codes[1:], []int{multiaddr.P_TCP}) && !slices.Equal(codes[1:], []int{multiaddr.P_UDP, multiaddr.P_QUIC_V1}) {
		return errors.New("no node speaks that")
	}
	return nil
}

// loopback says whether the OpenAI-compatible API can be at an address.
func loopback(addr string) error {
	if addr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return errors.New("write host:port, such as 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("port %q: write a number up to 65535; 0 is a free one", port)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("not on loopback: put a proxy with TLS in front of the node instead")
	}
	return nil
}

// Peers parses the bootstrap list.
func (c Config) Peers() ([]peer.AddrInfo, error) {
	var out []peer.AddrInfo
	for _, s := range c.Bootstrap {
		a, err := peer.AddrInfoFromString(s)
		if err != nil {
			return nil, fmt.Errorf("%w: bootstrap %q: write a multiaddr that ends in /p2p/PEER: %w", ErrConfig, s, err)
		}
		out = append(out, *a)
	}
	return out, nil
}

// Home is an open data directory.
type Home struct {
	Dir    string
	Config Config
	Key    *ecdsa.PrivateKey
	Token  string
	lock   *flock.Flock // nil until Lock
}

// Address is the node's account.
func (h *Home) Address() common.Address { return crypto.PubkeyToAddress(h.Key.PublicKey) }

// Path is a place in the directory.
func (h *Home) Path(parts ...string) string {
	return filepath.Join(append([]string{h.Dir}, parts...)...)
}

// Init makes a node in dir, with a new key unless key is given.
func Init(dir string, c Config, key *ecdsa.PrivateKey) (*Home, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return nil, fmt.Errorf("home: make %s: %w", abs, err)
	}
	if _, err := os.Stat(filepath.Join(abs, "key")); err == nil {
		return nil, fmt.Errorf("%w in %s: its key is its identity and its money, so it is not overwritten", ErrExists, abs)
	}
	if key == nil {
		if key, err = crypto.GenerateKey(); err != nil {
			return nil, fmt.Errorf("home: make a key: %w", err)
		}
	}
	h := &Home{Dir: abs, Config: c.spelt(), Key: key, Token: "tally-" + rand.Text()}
	if err := h.SaveConfig(); err != nil {
		return nil, err
	}
	if err := WriteFile(h.Path("token"), []byte(h.Token+"\n"), 0o600); err != nil {
		return nil, err
	}
	// The key goes last: a directory without one was never a node.
	if err := WriteFile(h.Path("key"), []byte(hex.EncodeToString(crypto.FromECDSA(key))+"\n"), 0o600); err != nil {
		return nil, err
	}
	return h, nil
}

// SaveConfig writes config.json.
func (h *Home) SaveConfig() error {
	b, err := json.MarshalIndent(h.Config, "", "  ")
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	return WriteFile(h.Path("config.json"), append(b, '\n'), 0o600)
}

// Open reads the directory. It does not lock it.
func Open(dir string) (*Home, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	raw, err := os.ReadFile(filepath.Join(abs, "key"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w (looked in %s)", ErrMissing, abs)
	}
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	key, err := crypto.HexToECDSA(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("home: %s: not a secp256k1 private key in hex: restore it from a copy: %w", filepath.Join(abs, "key"), err)
	}
	h := &Home{Dir: abs, Key: key}
	b, err := os.ReadFile(h.Path("config.json"))
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // a misspelt setting would be the default in silence
	err = d.Decode(&h.Config)
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		err = fmt.Errorf("%s cannot be a %s: write a %s, such as tally init writes", kind.Field, kind.Value, plain(kind.Type))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrConfig, h.Path("config.json"), err)
	}
	if err := h.Config.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", h.Path("config.json"), err)
	}
	tok, err := os.ReadFile(h.Path("token"))
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	h.Token = strings.TrimSpace(string(tok))
	return h, nil
}

// plain is what a person calls a type of the settings.
func plain(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return "whole number (sizes are in bytes)"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "list"
	case reflect.Struct:
		return "group in braces"
	default:
		return "text in quotes"
	}
}

// Lock takes the directory for this process until Unlock or its end.
func (h *Home) Lock() error {
	l := flock.New(h.Path("lock"))
	ok, err := l.TryLock()
	if err != nil {
		return fmt.Errorf("home: lock %s: %w", h.Dir, err)
	}
	if !ok {
		return fmt.Errorf("%w (%s)", ErrInUse, h.Dir)
	}
	h.lock = l
	return nil
}

// Unlock gives the directory back.
func (h *Home) Unlock() error {
	if h.lock == nil {
		return nil
	}
	return h.lock.Unlock()
}

// Bind ties the directory to a network, once and for all.
func (h *Home) Bind(n protocol.Network) error {
	b, err := os.ReadFile(h.Path("network"))
	if errors.Is(err, os.ErrNotExist) {
		return WriteFile(h.Path("network"), []byte(n.ID()+"\n"), 0o600)
	}
	if err != nil {
		return fmt.Errorf("home: %w", err)
	}
	if have := strings.TrimSpace(string(b)); have != n.ID() {
		return fmt.Errorf("%w: %s holds data of %s, the address book says %s: use another directory, or the book it was made with", ErrNetwork, h.Dir, have, n.ID())
	}
	return nil
}

// WriteFile replaces a file as a whole: it is on disk when it returns, and after
// a crash it is the old or the new one.
func WriteFile(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("home: write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	if err := errors.Join(f.Chmod(mode), writeAll(f, data), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("home: write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("home: write %s: %w", path, err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("home: write %s: %w", path, err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func writeAll(f *os.File, b []byte) error {
	_, err := f.Write(b)
	return err
}
