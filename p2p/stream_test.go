package p2p

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"tally/p2p/frame"
)

// pair is two connected hosts over one transport.
func pair(t testing.TB, transport string) (client, server *Host) {
	t.Helper()
	client, server = listen(t, on(transport)), listen(t, on(transport))
	connect(t, client, server)
	return client, server
}

func handle(t testing.TB, h *Host, name string, l Limits, fn func(context.Context, peer.ID, *Stream) error) {
	t.Helper()
	if err := h.Handle(name, l, fn); err != nil {
		t.Fatal(err)
	}
}

func echo(_ context.Context, _ peer.ID, s *Stream) error {
	for {
		m, err := s.Recv(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.Send(m); err != nil {
			return err
		}
	}
}

func open(t testing.TB, client, server *Host, name string, l Limits) *Stream {
	t.Helper()
	s, err := client.OpenWith(within(t, 20*time.Second), server.ID(), name, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Reset)
	return s
}

func overEach(t *testing.T, test func(t *testing.T, client, server *Host)) {
	for name := range transports {
		t.Run(name, func(t *testing.T) {
			client, server := pair(t, name)
			test(t, client, server)
		})
	}
}

func TestMessagesComeBack(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		handle(t, server, "echo", Limits{Frame: frame.Max}, echo)
		s := open(t, client, server, "echo", Limits{Frame: frame.Max})
		for _, n := range []int{0, 1, 5000, 1 << 20, frame.Max} {
			want := bytes.Repeat([]byte{byte(n)}, n)
			if err := s.Send(want); err != nil {
				t.Fatal(err)
			}
			got, err := s.Recv(0)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes: %d, %v", n, len(got), err)
			}
		}
		if err := s.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(0); err != io.EOF {
			t.Fatalf("after the end: %v", err)
		}
		got, err := client.Call(t.Context(), server.ID(), "echo", []byte("ping"), 4)
		if err != nil || string(got) != "ping" {
			t.Fatal(got, err)
		}
	})
}

func TestAHandlersErrorReachesTheCaller(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		handle(t, server, "no", Limits{}, func(_ context.Context, _ peer.ID, s *Stream) error {
			return errors.New("no such shard\n" + strings.Repeat("é", 4000))
		})
		_, err := client.Call(within(t, 30*time.Second), server.ID(), "no", make([]byte, 1<<20), 10)
		remote, ok := errors.AsType[*RemoteError](err)
		if !ok || remote.Peer != server.ID() || !strings.HasPrefix(remote.Text, "no such shard ") || len(remote.Text) > frame.MaxText || errors.Is(err, ErrBusy) {
			t.Fatal(err)
		}
	})
}

func TestAnUnknownProtocolIsRefused(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		if _, err := client.Call(within(t, 30*time.Second), server.ID(), "nobody", nil, 10); !errors.Is(err, ErrUnsupported) {
			t.Fatal(err)
		}
	})
}

func TestAnOversizedMessageIsRefused(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		handle(t, server, "small", Limits{Frame: 100}, echo)
		handle(t, server, "big", Limits{}, func(_ context.Context, _ peer.ID, s *Stream) error { return s.Send(make([]byte, 1000)) })

		_, err := client.Call(within(t, 30*time.Second), server.ID(), "small", make([]byte, frame.Max), 10)
		if remote, ok := errors.AsType[*RemoteError](err); !ok || !strings.Contains(remote.Text, "too large") {
			t.Errorf("the sender learns %v", err)
		}
		if _, err := client.Call(within(t, 30*time.Second), server.ID(), "big", nil, 999); !errors.Is(err, ErrTooLarge) {
			t.Errorf("the receiver of too much: %v", err)
		}
		s := open(t, client, server, "small", Limits{Frame: 10})
		if err := s.Send(make([]byte, 11)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a sender over its own limit: %v", err)
		}
	})
}

func TestATruncatedMessageIsRefused(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		got := make(chan error, 1)
		handle(t, server, "echo", Limits{}, func(ctx context.Context, id peer.ID, s *Stream) error {
			err := echo(ctx, id, s)
			got <- err
			return err
		})
		s := open(t, client, server, "echo", Limits{})
		head, _ := frame.AppendHeader(nil, frame.Data, 100)
		if _, err := s.raw.Write(append(head, "half"...)); err != nil {
			t.Fatal(err)
		}
		if err := s.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if err := <-got; !errors.Is(err, ErrTruncated) {
			t.Errorf("the receiver sees %v", err)
		}
		_, err := s.Recv(0)
		if remote, ok := errors.AsType[*RemoteError](err); !ok || !strings.Contains(remote.Text, "truncated") {
			t.Errorf("the sender learns %v", err)
		}
		if _, again := s.Recv(0); again != err { //nolint:errorlint // the very same error
			t.Errorf("and again: %v", again)
		}
	})
}

func TestASilentPeerCostsBoundedTime(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		handle(t, server, "listen", Limits{Idle: time.Second}, echo)
		s := open(t, client, server, "listen", Limits{})
		if err := s.Send([]byte("I am here")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Recv(0); err != nil {
			t.Fatal(err)
		}
		_, err := s.Recv(0) // says nothing: the handler gives up, and says why
		if remote, ok := errors.AsType[*RemoteError](err); !ok || !strings.Contains(remote.Text, "silent") {
			t.Errorf("a silent client learns %v", err)
		}

		hold := make(chan struct{})
		handle(t, server, "mute", Limits{}, func(context.Context, peer.ID, *Stream) error { <-hold; return nil })
		defer close(hold)
		m := open(t, client, server, "mute", Limits{Idle: time.Second})
		if err := m.Send(nil); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Recv(0); !errors.Is(err, ErrTimeout) {
			t.Errorf("a silent server: %v", err)
		}
	})
}

func TestAPeerThatTricklesIsCutOff(t *testing.T) {
	client, server := pair(t, "tcp")
	got := make(chan error, 1)
	handle(t, server, "slow", Limits{Idle: time.Second}, func(ctx context.Context, id peer.ID, s *Stream) error {
		_, err := s.Recv(0)
		got <- err
		return err
	})
	s := open(t, client, server, "slow", Limits{})
	head, _ := frame.AppendHeader(nil, frame.Data, 1<<20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for b := head; ctx.Err() == nil; b = []byte{1} {
			if _, err := s.raw.Write(b); err != nil {
				return
			}
			<-tick.C
		}
	}()
	select {
	case err := <-got:
		if !errors.Is(err, ErrTimeout) {
			t.Fatal(err)
		}
	case <-within(t, 30*time.Second).Done():
		t.Fatal("a byte every 20 ms holds a stream for ever")
	}
}

func TestAPeerThatDoesNotReadIsCutOff(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		hold := make(chan struct{})
		handle(t, server, "deaf", Limits{}, func(context.Context, peer.ID, *Stream) error { <-hold; return nil })
		defer close(hold)
		s := open(t, client, server, "deaf", Limits{Idle: time.Second})
		for range 1000 {
			if err := s.Send(make([]byte, 16<<10)); err != nil {
				if !errors.Is(err, ErrTimeout) {
					t.Error(err)
				}
				return
			}
		}
		t.Error("16 MB went to a peer that reads nothing")
	})
}

func TestAFloodOfStreamsIsRefused(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		hold := make(chan struct{})
		var release sync.Once
		defer release.Do(func() { close(hold) })
		handle(t, server, "work", Limits{PerPeer: 3}, func(_ context.Context, _ peer.ID, s *Stream) error {
			if err := s.Send([]byte("working")); err != nil {
				return err
			}
			<-hold
			return nil
		})
		var open_, busy int
		for range 20 {
			s := open(t, client, server, "work", Limits{})
			if err := s.Send(nil); err != nil {
				t.Fatal(err)
			}
			switch _, err := s.Recv(0); {
			case err == nil:
				open_++
			case errors.Is(err, ErrBusy):
				busy++
			default:
				t.Fatal(err)
			}
		}
		if open_ != 3 || busy != 17 {
			t.Fatalf("%d served and %d refused, want 3 and 17", open_, busy)
		}
		release.Do(func() { close(hold) })
	})
}

func TestCancelEndsAStreamAtOnce(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		gone := make(chan error, 1)
		handle(t, server, "wait", Limits{}, func(_ context.Context, _ peer.ID, s *Stream) error {
			_, err := s.Recv(0)
			if err == nil {
				_, err = s.Recv(0)
			}
			gone <- err
			return err
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		s, err := client.Open(ctx, server.ID(), "wait")
		if err != nil {
			t.Fatal(err)
		}
		defer s.Reset()
		if err := s.Send(nil); err != nil {
			t.Fatal(err)
		}
		why := errors.New("enough")
		cancel(why)
		if _, err := s.Recv(0); !errors.Is(err, why) {
			t.Errorf("the caller sees %v", err)
		}
		if err := <-gone; !errors.Is(err, ErrReset) {
			t.Errorf("the handler sees %v", err)
		}
	})
}

func TestCloseEndsHandlers(t *testing.T) {
	client, server := pair(t, "tcp")
	handle(t, server, "wait", Limits{}, func(ctx context.Context, _ peer.ID, s *Stream) error {
		if err := s.Send(nil); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	})
	s := open(t, client, server, "wait", Limits{})
	if err := s.Send(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(0); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(0); err == nil || err == io.EOF {
		t.Fatalf("a stream of a closed host: %v", err)
	}
}

func TestBulkStreamsEndWithTheLastByteOrAnError(t *testing.T) {
	overEach(t, func(t *testing.T, client, server *Host) {
		want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
		handle(t, server, "shard", Limits{}, func(_ context.Context, _ peer.ID, s *Stream) error {
			from, err := s.Recv(8)
			if err != nil {
				return err
			}
			if _, err := s.Writer().Write(want); err != nil {
				return err
			}
			if len(from) > 0 {
				return fmt.Errorf("disk is gone")
			}
			return nil
		})
		s := open(t, client, server, "shard", Limits{})
		if err := s.Send(nil); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(s.Reader())
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d of %d bytes: %v", len(got), len(want), err)
		}

		s = open(t, client, server, "shard", Limits{})
		if err := s.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
		got, err = io.ReadAll(s.Reader())
		if remote, ok := errors.AsType[*RemoteError](err); !ok || remote.Text != "disk is gone" || len(got) != len(want) {
			t.Fatalf("%d bytes, then %v", len(got), err)
		}
	})
}
