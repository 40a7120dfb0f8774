package protocol

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"
)

// TypeString is the EIP-712 encodeType of a struct: its name and fields in
// order, then the structs it refers to in alphabetical order.
func TypeString(v any) (string, error) {
	return typeString(reflect.Indirect(reflect.ValueOf(v)).Type())
}

func typeString(t reflect.Type) (string, error) {
	refs := map[string]string{}
	if err := collectTypes(t, refs); err != nil {
		return "", err
	}
	head := refs[t.Name()]
	delete(refs, t.Name())
	names := make([]string, 0, len(refs))
	for n := range refs {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		head += refs[n]
	}
	return head, nil
}

func collectTypes(t reflect.Type, out map[string]string) error {
	if _, ok := out[t.Name()]; ok {
		return nil
	}
	out[t.Name()] = "" // breaks a cycle
	fields := make([]string, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		n, inner, err := solidityType(f.Type)
		if err != nil {
			return fmt.Errorf("protocol: %s.%s: %w", t.Name(), f.Name, err)
		}
		if inner != nil {
			if err := collectTypes(inner, out); err != nil {
				return err
			}
		}
		fields[i] = n + " " + strings.ToLower(f.Name[:1]) + f.Name[1:]
	}
	out[t.Name()] = t.Name() + "(" + strings.Join(fields, ",") + ")"
	return nil
}

// solidityType names the type; inner is the struct it refers to, if any.
func solidityType(t reflect.Type) (name string, inner reflect.Type, err error) {
	switch t {
	case typeAddress:
		return "address", nil, nil
	case typeHash:
		return "bytes32", nil, nil
	case typeAmount:
		return "uint256", nil, nil
	case typeCID, typeBytes:
		return "bytes", nil, nil
	}
	switch t.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return t.Kind().String(), nil, nil
	case reflect.Bool:
		return "bool", nil, nil
	case reflect.String:
		return "string", nil, nil
	case reflect.Struct:
		return t.Name(), t, nil
	case reflect.Slice:
		n, inner, err := solidityType(t.Elem())
		return n + "[]", inner, err
	}
	return "", nil, fmt.Errorf("type %s has no EIP-712 form", t)
}

// StructHash is hashStruct of EIP-712.
func StructHash(v any) (common.Hash, error) {
	return structHash(reflect.Indirect(reflect.ValueOf(v)))
}

func structHash(v reflect.Value) (common.Hash, error) {
	s, err := typeString(v.Type())
	if err != nil {
		return common.Hash{}, err
	}
	b := crypto.Keccak256([]byte(s))
	for i := range v.NumField() {
		w, err := word(v.Field(i))
		if err != nil {
			return common.Hash{}, err
		}
		b = append(b, w[:]...)
	}
	return crypto.Keccak256Hash(b), nil
}

// word is encodeData of one field.
func word(v reflect.Value) (w [32]byte, err error) {
	switch v.Type() {
	case typeAddress:
		a := v.Interface().(common.Address)
		copy(w[12:], a[:])
		return w, nil
	case typeHash:
		return v.Interface().(common.Hash), nil
	case typeAmount:
		return v.Interface().(Amount).bytes32(), nil
	case typeCID:
		return crypto.Keccak256Hash(cidBytes(v.Interface().(cid.Cid))), nil
	case typeBytes:
		return crypto.Keccak256Hash(v.Bytes()), nil
	}
	switch v.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return NewAmount(v.Uint()).bytes32(), nil
	case reflect.Bool:
		if v.Bool() {
			w[31] = 1
		}
		return w, nil
	case reflect.String:
		return crypto.Keccak256Hash([]byte(v.String())), nil
	case reflect.Struct:
		return structHash(v)
	case reflect.Slice:
		var b []byte
		for i := range v.Len() {
			e, err := word(v.Index(i))
			if err != nil {
				return w, err
			}
			b = append(b, e[:]...)
		}
		return crypto.Keccak256Hash(b), nil
	}
	return w, fmt.Errorf("protocol: type %s has no EIP-712 form", v.Type())
}

// Digest is what an account signs: keccak256(0x1901 ‖ domain ‖ hashStruct).
func Digest(n Network, m Message) (common.Hash, error) {
	h, err := StructHash(m)
	if err != nil {
		return common.Hash{}, err
	}
	d := n.Domain(m.Judge())
	return crypto.Keccak256Hash([]byte{0x19, 0x01}, d[:], h[:]), nil
}
