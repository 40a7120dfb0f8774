package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// shop is an honest small node that says what it was asked.
type shop struct{ Datanets }

func (shop) AddToDatanet(_ context.Context, dn string, how AddToDatanet, r io.Reader) (Datanet, error) {
	_, err := io.Copy(io.Discard, r)
	return Datanet{CID: dn, Name: fmt.Sprint(how)}, err
}

func (shop) ShowDatanet(_ context.Context, dn string, how ShowDatanet) (Datanet, error) {
	return Datanet{CID: dn, Name: fmt.Sprint(how)}, nil
}

func (shop) ChangeDatanet(_ context.Context, dn string, in ChangeDatanet) (Datanet, error) {
	return Datanet{CID: dn, Replicas: in.Replicas}, nil
}

func (shop) WithdrawShard(_ context.Context, dn, root string) (Datanet, error) {
	return Datanet{CID: dn, Name: root}, nil
}

func (shop) FollowDatanet(_ context.Context, dn string, on bool) (Datanet, error) {
	return Datanet{CID: dn, Following: on}, nil
}

func (shop) ExportShard(_ context.Context, _, root, as string, w io.Writer) error {
	if root == "none" {
		return fmt.Errorf("%w: no such shard", ErrNotFound)
	}
	if _, err := fmt.Fprint(w, root, " as ", as); err != nil || root != "breaks" {
		return err
	}
	return errors.New("disk on fire")
}

func TestDatanetRoutesCarryTheirOptions(t *testing.T) {
	s := httptest.NewServer(Handler(Node{Datanets: shop{}}, func() {}, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	c := &Client{base: s.URL, http: s.Client()}
	ctx := t.Context()
	for _, how := range []AddToDatanet{{}, {Accept: true}, {CAR: true, ShardSize: 1 << 40}} {
		d, err := Upload[Datanet](ctx, c, "/v0/datanets/x/shards", how.Query(), strings.NewReader("data"))
		if err != nil || d.Name != fmt.Sprint(how) || d.CID != "x" {
			t.Errorf("%+v arrives as %q, %v", how, d.Name, err)
		}
	}
	if _, err := Upload[Datanet](ctx, c, "/v0/datanets/x/shards", url.Values{"shard_size": {"-1"}}, strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "shard_size") {
		t.Errorf("a size below nothing: %v", err)
	}
	if d, err := Get[Datanet](ctx, c, "/v0/datanets/x", url.Values{"head": {"1"}, "preview": {"1"}}); err != nil || d.Name != fmt.Sprint(ShowDatanet{true, true}) {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := Send[Datanet](ctx, c, http.MethodPatch, "/v0/datanets/x", ChangeDatanet{7}); err != nil || d.Replicas != 7 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := Send[Datanet](ctx, c, http.MethodDelete, "/v0/datanets/x/shards/r", nil); err != nil || d.Name != "r" {
		t.Errorf("%+v, %v", d, err)
	}
	for method, on := range map[string]bool{http.MethodPut: true, http.MethodDelete: false} {
		if d, err := Send[Datanet](ctx, c, method, "/v0/datanets/x/follow", nil); err != nil || d.Following != on {
			t.Errorf("%s: %+v, %v", method, d, err)
		}
	}
}

func TestShardThatBreaksOnItsWayIsNoShortFile(t *testing.T) {
	s := httptest.NewServer(Handler(Node{Datanets: shop{}}, func() {}, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	c := &Client{base: s.URL, http: s.Client()}
	read := func(root string) (string, error) {
		r, err := c.Download(t.Context(), "/v0/datanets/x/shards/"+root, url.Values{"as": {"car"}})
		if err != nil {
			return "", err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		return string(b), err
	}
	if got, err := read("whole"); got != "whole as car" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := read("breaks"); err == nil {
		t.Errorf("reads %q as if it were all", got)
	}
	if _, err := read("none"); err == nil || !strings.Contains(err.Error(), "no such shard") {
		t.Errorf("one that is not there: %v", err)
	}
}
