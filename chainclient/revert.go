package chainclient

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"

	"tally/chainclient/contract/ledger"
	"tally/chainclient/contract/possession"
	"tally/chainclient/contract/registry"
	"tally/chainclient/contract/token"
	"tally/chainclient/contract/vault"
)

// ErrReverted says that a contract refused; a *RevertError beside it says why.
var ErrReverted = errors.New("chainclient: reverted")

// RevertError is a contract's refusal.
type RevertError struct {
	Name   string // of the contract's error, such as "EpochNotOver"; empty where it gave none that we know
	Reason string // the error with its arguments, or the revert string
}

func (e *RevertError) Error() string { return ErrReverted.Error() + ": " + e.Reason }

// Unwrap makes errors.Is(err, ErrReverted) hold.
func (e *RevertError) Unwrap() error { return ErrReverted }

// Reverted reports whether err is a contract's refusal by the named error, such
// as "EpochNotOver".
func Reverted(err error, name string) bool {
	e, ok := errors.AsType[*RevertError](err)
	return ok && e.Name == name
}

// dataError is how an RPC client hands over what a call reverted with.
type dataError interface {
	error
	ErrorData() any
}

// Explain replaces an endpoint's "execution reverted" by the contract's reason, a
// *RevertError, and leaves every other error as it is.
func Explain(err error) error {
	if errors.Is(err, ErrReverted) {
		return err
	}
	de, ok := errors.AsType[dataError](err)
	if !ok {
		return err
	}
	text, ok := de.ErrorData().(string)
	if !ok {
		return err
	}
	data, derr := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if derr != nil {
		return err
	}
	return decodeRevert(data)
}

// decodeRevert names a revert's data.
func decodeRevert(data []byte) *RevertError {
	if reason, err := abi.UnpackRevert(data); err == nil {
		return &RevertError{Reason: reason}
	}
	if len(data) >= 4 {
		for _, m := range []*bind.MetaData{&ledger.LedgerMetaData, &vault.VaultMetaData, &registry.RegistryMetaData, &token.TokenMetaData, &possession.PossessionMetaData} {
			a, err := m.ParseABI()
			if err != nil {
				continue
			}
			e, err := a.ErrorByID([4]byte(data[:4]))
			if err != nil {
				continue
			}
			args, err := e.Inputs.Unpack(data[4:])
			if err != nil {
				continue
			}
			said := make([]string, len(args))
			for i, v := range args {
				said[i] = e.Inputs[i].Name + " " + show(v)
			}
			return &RevertError{Name: e.Name, Reason: e.Name + "(" + strings.Join(said, ", ") + ")"}
		}
	}
	if len(data) > 64 {
		data = data[:64]
	}
	return &RevertError{Reason: fmt.Sprintf("0x%x", data)}
}

func show(v any) string {
	switch v := v.(type) {
	case [32]byte:
		return fmt.Sprintf("0x%x", v)
	case []byte:
		return fmt.Sprintf("0x%x", v)
	}
	return fmt.Sprint(v)
}
