package p2p

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/libp2p/go-libp2p/core/control"
	lcrypto "github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

// ErrIdentity says that a peer's key is not a secp256k1 key, so that it has no
// address on the chain.
var ErrIdentity = errors.New("p2p: not a secp256k1 identity")

// AddressOf returns the account of a peer. The peer ID holds the key itself
// (identity multihash), so nothing is looked up.
func AddressOf(id peer.ID) (common.Address, error) {
	pub, err := id.ExtractPublicKey()
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: peer %s: %w", ErrIdentity, id, err)
	}
	key, ok := pub.(*lcrypto.Secp256k1PublicKey)
	if !ok {
		return common.Address{}, fmt.Errorf("%w: peer %s has a key of type %s", ErrIdentity, id, pub.Type())
	}
	raw, err := key.Raw()
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: peer %s: %w", ErrIdentity, id, err)
	}
	ec, err := crypto.DecompressPubkey(raw)
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: peer %s: %w", ErrIdentity, id, err)
	}
	return crypto.PubkeyToAddress(*ec), nil
}

// PeerOf returns the peer ID of a compressed public key of 33 bytes, as the
// registry stores it.
func PeerOf(compressed []byte) (peer.ID, error) {
	if len(compressed) != 33 {
		return "", fmt.Errorf("%w: a key of %d bytes, want 33", ErrIdentity, len(compressed))
	}
	key, err := lcrypto.UnmarshalSecp256k1PublicKey(compressed)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrIdentity, err)
	}
	return id, nil
}

// gater refuses every peer without an address on the chain: before dialing
// one, and when one that dialed us has proved its key.
type gater struct{}

func hasAddress(id peer.ID) bool {
	_, err := AddressOf(id)
	return err == nil
}

func (gater) InterceptPeerDial(id peer.ID) bool                               { return hasAddress(id) }
func (gater) InterceptAddrDial(peer.ID, multiaddr.Multiaddr) bool             { return true }
func (gater) InterceptAccept(network.ConnMultiaddrs) bool                     { return true }
func (gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

func (gater) InterceptSecured(_ network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	return hasAddress(id)
}
