package p2p

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

func accept(context.Context, peer.ID, []byte) Verdict { return Accept }

func withTopic(_ int, c *Config) { c.Topics = []string{"offers"} }

func join(t testing.TB, h *Host, validate func(context.Context, peer.ID, []byte) Verdict) *Topic {
	t.Helper()
	topic, err := h.Join("offers", validate)
	if err != nil {
		t.Fatal(err)
	}
	return topic
}

// known waits until a topic's host knows of these subscribers.
func known(t testing.TB, topic *Topic, want ...*Host) {
	t.Helper()
	ctx := within(t, 15*time.Second)
	for _, h := range want {
		for !slices.Contains(topic.Subscribers(), h.ID()) {
			if ctx.Err() != nil {
				t.Fatalf("%s is not known as a subscriber", h.ID())
			}
			pause(ctx)
		}
	}
}

func first(t testing.TB, messages iter.Seq2[Message, error]) Message {
	t.Helper()
	for m, err := range messages {
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	t.Fatal("no message")
	return Message{}
}

func TestAMessageReachesAll(t *testing.T) {
	hosts := cluster(t, 5, withTopic)
	var topics []*Topic
	var inboxes []iter.Seq2[Message, error]
	for _, h := range hosts {
		topic := join(t, h, accept)
		topics = append(topics, topic)
		inboxes = append(inboxes, topic.Messages(within(t, 20*time.Second)))
	}
	known(t, topics[0], hosts[1:]...)
	for _, topic := range topics[1:] {
		known(t, topic, hosts[0])
	}
	// Gossip is at most once, and the meshes are only forming: publish until all have heard.
	ctx, heard := context.WithCancel(t.Context())
	defer heard()
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			_ = topics[3].Publish(ctx, fmt.Appendf(nil, "offer %d", i))
			pause(ctx)
		}
	}()
	for i := range hosts {
		m := first(t, inboxes[i])
		if m.From != hosts[3].ID() || !strings.HasPrefix(string(m.Data), "offer ") {
			t.Errorf("host %d has %q from %s", i, m.Data, m.From)
		}
	}
}

func TestAMessageThatIsTooLargeOrRejectedIsNotSent(t *testing.T) {
	h := listen(t, func(c *Config) { withTopic(0, c) })
	topic := join(t, h, func(_ context.Context, _ peer.ID, data []byte) Verdict {
		if len(data) == 0 {
			return Reject
		}
		return Accept
	})
	if err := topic.Publish(t.Context(), make([]byte, MaxMessage+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if err := topic.Publish(t.Context(), nil); !errors.Is(err, ErrRejected) {
		t.Error(err)
	}
}

func TestTheLargestMessageArrives(t *testing.T) {
	hosts := cluster(t, 2, withTopic)
	a, b := join(t, hosts[0], accept), join(t, hosts[1], accept)
	inbox := b.Messages(within(t, 20*time.Second))
	known(t, a, hosts[1])
	if err := a.Publish(t.Context(), make([]byte, MaxMessage)); err != nil {
		t.Fatal(err)
	}
	if m := first(t, inbox); len(m.Data) != MaxMessage {
		t.Fatal(len(m.Data))
	}
}

func TestWhatAValidatorRefusesIsNotDelivered(t *testing.T) {
	hosts := cluster(t, 2, withTopic)
	a := join(t, hosts[0], accept)
	verdicts := map[string]Verdict{"good": Accept, "bad": Reject, "unknown": Ignore}
	b := join(t, hosts[1], func(_ context.Context, _ peer.ID, data []byte) Verdict { return verdicts[string(data)] })
	inbox := b.Messages(within(t, 20*time.Second))
	known(t, a, hosts[1])
	for _, m := range []string{"bad", "unknown", "good"} {
		if err := a.Publish(t.Context(), []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if m := first(t, inbox); string(m.Data) != "good" {
		t.Fatalf("%q was delivered", m.Data)
	}
}

func TestATopicOutsideTheListIsRefused(t *testing.T) {
	h := listen(t, func(c *Config) { withTopic(0, c) })
	if _, err := h.Join("gossip", accept); err == nil {
		t.Error("joined a topic that is not in the list")
	}
	join(t, h, accept)
	if _, err := h.Join("offers", accept); err == nil {
		t.Error("joined twice")
	}
}

func TestASlowConsumerLosesTheOldest(t *testing.T) {
	q := newQueue()
	lost := 0
	for i := range queueMessages + 10 {
		lost += q.push(Message{Data: fmt.Append(nil, i)})
	}
	if lost != 10 {
		t.Errorf("lost %d, want 10", lost)
	}
	m, _, err := q.pop(t.Context())
	if err != nil || string(m.Data) != "10" {
		t.Errorf("the oldest is %q (%v), want 10", m.Data, err)
	}
	big := newQueue()
	for range 2 * queueBytes / MaxMessage {
		lost += big.push(Message{Data: make([]byte, MaxMessage)})
	}
	if big.bytes > queueBytes || len(big.items) != queueBytes/MaxMessage {
		t.Errorf("%d bytes in %d messages", big.bytes, len(big.items))
	}
}

func TestConsumersEndWithTheirContextAndWithTheHost(t *testing.T) {
	h := listen(t, func(c *Config) { withTopic(0, c) })
	topic := join(t, h, accept)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	inbox, forgotten := topic.Messages(ctx), topic.Messages(ctx)
	_ = forgotten // never iterated
	cancel(why)
	for _, err := range inbox {
		if !errors.Is(err, why) {
			t.Error(err)
		}
	}
	live := topic.Messages(t.Context())
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	for _, err := range live {
		if !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	for _, err := range topic.Messages(t.Context()) {
		if !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
	}
	if err := topic.Publish(t.Context(), []byte("x")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if n := len(topic.queues); n != 0 {
		t.Errorf("%d queues are left", n)
	}
}
