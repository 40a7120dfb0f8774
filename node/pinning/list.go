package pinning

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
)

const (
	maxName    = 255
	maxOrigins = 20
	maxMeta    = 1000
	maxText    = 1024 // bytes of one origin, key or value
	maxCIDs    = 10   // in a filter
	pageSize   = 10
	maxPage    = 1000
)

// check refuses a pin that the API does not take.
func check(p Pin) (cid.Cid, error) {
	c, err := cid.Decode(p.CID)
	if err != nil {
		return c, fmt.Errorf("%w: cid %.100q: %w", ErrRequest, p.CID, err)
	}
	if len([]rune(p.Name)) > maxName || len(p.Origins) > maxOrigins || len(p.Meta) > maxMeta {
		return c, fmt.Errorf("%w: at most %d characters of name, %d origins and %d pairs of meta", ErrRequest, maxName, maxOrigins, maxMeta)
	}
	for _, o := range p.Origins {
		if len(o) > maxText {
			return c, fmt.Errorf("%w: an origin of %d bytes, at most %d", ErrRequest, len(o), maxText)
		}
	}
	for k, v := range p.Meta {
		if len(k) > maxText || len(v) > maxText {
			return c, fmt.Errorf("%w: meta %.50q is over %d bytes", ErrRequest, k, maxText)
		}
	}
	return c, nil
}

// Filter chooses pins.
type Filter struct {
	CIDs          []cid.Cid // none: any
	Name          string    // "": any
	Match         string    // how: "exact" (the default), "iexact", "partial" or "ipartial"
	Status        []Status  // none: pinned ones
	Before, After time.Time // of creation, exclusive; zero: no bound
	Limit         int       // of results; 0: 10
	Meta          map[string]string
}

// ParseFilter reads the query of a list.
func ParseFilter(q url.Values) (f Filter, err error) {
	bad := func(what string, err error) (Filter, error) {
		return f, fmt.Errorf("%w: %s %.100q: %w", ErrRequest, what, q.Get(what), err)
	}
	if v := q.Get("cid"); v != "" {
		parts := strings.Split(v, ",")
		if len(parts) > maxCIDs {
			return f, fmt.Errorf("%w: %d CIDs, at most %d", ErrRequest, len(parts), maxCIDs)
		}
		for _, p := range parts {
			c, err := cid.Decode(p)
			if err != nil {
				return bad("cid", err)
			}
			f.CIDs = append(f.CIDs, c)
		}
	}
	f.Name, f.Match = q.Get("name"), q.Get("match")
	if len([]rune(f.Name)) > maxName {
		return f, fmt.Errorf("%w: a name of more than %d characters", ErrRequest, maxName)
	}
	if !slices.Contains([]string{"", "exact", "iexact", "partial", "ipartial"}, f.Match) {
		return f, fmt.Errorf("%w: match %.50q: use exact, iexact, partial or ipartial", ErrRequest, f.Match)
	}
	if v := q.Get("status"); v != "" {
		for p := range strings.SplitSeq(v, ",") {
			s := Status(p)
			if !slices.Contains([]Status{Queued, Pinning, Pinned, Failed}, s) {
				return f, fmt.Errorf("%w: status %.50q: use queued, pinning, pinned or failed", ErrRequest, p)
			}
			f.Status = append(f.Status, s)
		}
	}
	for what, at := range map[string]*time.Time{"before": &f.Before, "after": &f.After} {
		if v := q.Get(what); v != "" {
			if *at, err = time.Parse(time.RFC3339Nano, v); err != nil {
				return bad(what, err)
			}
		}
	}
	if v := q.Get("limit"); v != "" {
		f.Limit, err = strconv.Atoi(v)
		if err != nil || f.Limit < 1 || f.Limit > maxPage {
			return f, fmt.Errorf("%w: limit %.50q: use 1 to %d", ErrRequest, v, maxPage)
		}
	}
	if v := q.Get("meta"); v != "" {
		if err := json.Unmarshal([]byte(v), &f.Meta); err != nil {
			return bad("meta", err)
		}
	}
	return f, nil
}

func (f Filter) takes(k kept, c cid.Cid) bool {
	if len(f.Status) == 0 && k.Status != Pinned || len(f.Status) > 0 && !slices.Contains(f.Status, k.Status) {
		return false
	}
	if len(f.CIDs) > 0 && !slices.ContainsFunc(f.CIDs, c.Equals) {
		return false
	}
	if !f.Before.IsZero() && !k.Created.Before(f.Before) || !f.After.IsZero() && !k.Created.After(f.After) {
		return false
	}
	for key, v := range f.Meta {
		if got, ok := k.Pin.Meta[key]; !ok || got != v {
			return false
		}
	}
	if f.Name == "" {
		return true
	}
	switch f.Match {
	case "iexact":
		return strings.EqualFold(k.Pin.Name, f.Name)
	case "partial":
		return strings.Contains(k.Pin.Name, f.Name)
	case "ipartial":
		return strings.Contains(strings.ToLower(k.Pin.Name), strings.ToLower(f.Name))
	}
	return k.Pin.Name == f.Name
}

// List returns the newest pins that f takes, newest first, and how many it takes
// in all.
func (s *Service) List(_ context.Context, f Filter) (out []Entry, count int, err error) {
	if f.Limit == 0 {
		f.Limit = pageSize
	}
	err = s.each(func(id string, k kept) (bool, error) {
		c, err := cid.Decode(k.Pin.CID)
		if err != nil {
			return false, fmt.Errorf("pinning: pin %s on disk: %w", id, err)
		}
		if f.takes(k, c) {
			count++
			if len(out) == f.Limit {
				out = append(out[:0], out[1:]...)
			}
			out = append(out, s.entry(id, k))
		}
		return true, nil
	})
	slices.Reverse(out)
	return out, count, err
}
