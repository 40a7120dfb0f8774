package p2p

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/prometheus/client_golang/prometheus"
)

const (
	// MaxMessage is the largest payload of a gossip message, 128 KiB.
	MaxMessage = 128 << 10

	envelope        = 4 << 10 // author, signature, topic, framing
	validateTimeout = 5 * time.Second
	validateAtOnce  = 64
	queueMessages   = 256
	queueBytes      = 4 << 20
)

// ErrRejected says that our own validator does not accept what we publish.
var ErrRejected = errors.New("p2p: message rejected by its own validator")

// Verdict is what a validator finds.
type Verdict int

// The verdicts. Reject is for what its sender answers for, and costs every peer
// that relays it; Ignore is for what we ourselves cannot judge yet.
const (
	Accept Verdict = iota
	Reject
	Ignore
)

// Message is a gossip message that its validator accepted.
type Message struct {
	From peer.ID // who wrote and signed it, not who relayed it
	Data []byte
}

// Topic is a joined topic. It ends with its host.
type Topic struct {
	name    string
	topic   *pubsub.Topic
	dropped prometheus.Counter
	log     *slog.Logger

	mu     sync.Mutex
	closed bool            // guarded by mu
	queues map[*queue]bool // guarded by mu; one for each consumer
}

// newGossip runs GossipSub under the network's prefix.
func newGossip(ctx context.Context, h host.Host, prefix string, c Config, log *slog.Logger) (*pubsub.PubSub, error) {
	names := make([]string, 0, len(c.Topics))
	for _, t := range c.Topics {
		names = append(names, prefix+"/"+t)
	}
	mesh := protocol.ID(prefix + "/meshsub/1.2.0")
	params := pubsub.DefaultGossipSubParams()
	// Small networks afford to offer a message again for ten heartbeats, not
	// three: whoever was outside the mesh when it went by then still gets it.
	params.HistoryGossip, params.HistoryLength = 10, 20
	if c.Profile == ProfileTest {
		params.HeartbeatInterval, params.HeartbeatInitialDelay = 100*time.Millisecond, 10*time.Millisecond
	}
	g, err := pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubProtocols([]protocol.ID{mesh}, func(f pubsub.GossipSubFeature, p protocol.ID) bool {
			return p == mesh && f != pubsub.GossipSubFeatureExtensions
		}),
		pubsub.WithGossipSubParams(params),
		// What we publish goes to every subscriber we know: in a small network all
		// are in the mesh after the next heartbeat, and those in the mesh are never
		// offered what they missed just before.
		pubsub.WithFloodPublish(true),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithMaxMessageSize(MaxMessage+envelope),
		pubsub.WithSubscriptionFilter(pubsub.WrapLimitSubscriptionFilter(pubsub.NewAllowlistSubscriptionFilter(names...), 2*maxTopics)),
		pubsub.WithPeerScore(scores(names)),
		pubsub.WithPeerExchange(false),
		pubsub.WithValidateQueueSize(128),
		pubsub.WithValidateThrottle(256),
		pubsub.WithPeerOutboundQueueSize(128),
		pubsub.WithLogger(slog.New(quiet{log.Handler(), ctx})),
	)
	if err != nil {
		return nil, fmt.Errorf("p2p: gossip: %w", err)
	}
	return g, nil
}

// messageID makes a message its payload, whoever sends it: one that is
// published twice within two minutes travels once.
func messageID(m *pb.Message) string {
	d := sha256.New()
	d.Write([]byte(m.GetTopic()))
	d.Write([]byte{0})
	d.Write(m.GetData())
	return string(d.Sum(nil))
}

// scores punish invalid messages and broken protocol, and nothing else: homes
// share addresses, and our topics are quiet, so neither colocation nor missing
// deliveries say anything.
func scores(topics []string) (*pubsub.PeerScoreParams, *pubsub.PeerScoreThresholds) {
	p := &pubsub.PeerScoreParams{
		Topics:                    make(map[string]*pubsub.TopicScoreParams, len(topics)),
		AppSpecificScore:          func(peer.ID) float64 { return 0 },
		BehaviourPenaltyWeight:    -10,
		BehaviourPenaltyThreshold: 6,
		BehaviourPenaltyDecay:     pubsub.ScoreParameterDecay(10 * time.Minute),
		DecayInterval:             pubsub.DefaultDecayInterval,
		DecayToZero:               pubsub.DefaultDecayToZero,
		RetainScore:               10 * time.Minute,
	}
	for _, t := range topics {
		p.Topics[t] = &pubsub.TopicScoreParams{
			TopicWeight:                    1,
			TimeInMeshWeight:               0.01,
			TimeInMeshQuantum:              time.Second,
			TimeInMeshCap:                  600,
			FirstMessageDeliveriesWeight:   1,
			FirstMessageDeliveriesDecay:    pubsub.ScoreParameterDecay(10 * time.Minute),
			FirstMessageDeliveriesCap:      50,
			InvalidMessageDeliveriesWeight: -100, // of the square of their number
			InvalidMessageDeliveriesDecay:  pubsub.ScoreParameterDecay(30 * time.Minute),
		}
	}
	return p, &pubsub.PeerScoreThresholds{
		GossipThreshold:             -500,
		PublishThreshold:            -1000,
		GraylistThreshold:           -2500, // about five invalid messages
		OpportunisticGraftThreshold: 1,
	}
}

// Join subscribes to a topic of Config.Topics. validate judges every message
// before it is kept or relayed, for at most 5 s and up to 64 at once, our own
// too. It must judge the payload by itself: from is the envelope's author, and
// whoever relays a copied payload in an envelope of its own comes first for
// those it reaches first. A topic is joined once.
func (h *Host) Join(name string, validate func(ctx context.Context, from peer.ID, data []byte) Verdict) (*Topic, error) {
	t, err := h.subscribe(name, validate)
	if err != nil {
		return nil, fmt.Errorf("p2p: join topic %q: %w", name, err)
	}
	return t, nil
}

func (h *Host) subscribe(name string, validate func(context.Context, peer.ID, []byte) Verdict) (*Topic, error) {
	if !slices.Contains(h.topicNames, name) {
		return nil, errors.New("it is not in Config.Topics: peers that subscribed before would be unknown")
	}
	if !h.begin() {
		return nil, ErrClosed
	}
	defer h.work.Done()
	full := h.prefix + "/" + name
	err := h.gossip.RegisterTopicValidator(full, func(ctx context.Context, _ peer.ID, m *pubsub.Message) pubsub.ValidationResult {
		return judge(ctx, m, validate)
	}, pubsub.WithValidatorTimeout(validateTimeout), pubsub.WithValidatorConcurrency(validateAtOnce))
	if err != nil {
		return nil, err
	}
	topic, err := h.gossip.Join(full)
	if err != nil {
		return nil, errors.Join(err, h.gossip.UnregisterTopicValidator(full))
	}
	sub, err := topic.Subscribe(pubsub.WithBufferSize(queueMessages))
	if err != nil {
		return nil, errors.Join(err, topic.Close(), h.gossip.UnregisterTopicValidator(full))
	}
	t := &Topic{name: name, topic: topic, dropped: h.metrics.dropped.WithLabelValues(name), log: h.log, queues: make(map[*queue]bool)}
	h.work.Go(func() { t.run(h.ctx, sub) })
	return t, nil
}

func judge(ctx context.Context, m *pubsub.Message, validate func(context.Context, peer.ID, []byte) Verdict) pubsub.ValidationResult {
	if len(m.Data) > MaxMessage || !hasAddress(m.GetFrom()) {
		return pubsub.ValidationReject
	}
	switch validate(ctx, m.GetFrom(), m.Data) {
	case Accept:
		return pubsub.ValidationAccept
	case Reject:
		return pubsub.ValidationReject
	default:
		return pubsub.ValidationIgnore
	}
}

// run hands every message to every consumer until the host ends.
func (t *Topic) run(ctx context.Context, sub *pubsub.Subscription) {
	defer sub.Cancel()
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			break
		}
		t.mu.Lock()
		for q := range t.queues {
			if n := q.push(Message{From: m.GetFrom(), Data: m.Data}); n > 0 {
				t.dropped.Add(float64(n))
			}
		}
		t.mu.Unlock()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for q := range t.queues {
		q.close()
	}
}

// Publish sends a message to the topic's subscribers, this node among them. At
// most once: nobody says that it arrived, and with no peers it goes nowhere.
func (t *Topic) Publish(ctx context.Context, data []byte) error {
	if len(data) > MaxMessage {
		return fmt.Errorf("p2p: publish to %s: %w: %d bytes of at most %d", t.name, ErrTooLarge, len(data), MaxMessage)
	}
	err := t.topic.Publish(ctx, data)
	if _, ok := errors.AsType[pubsub.ValidationError](err); ok {
		return fmt.Errorf("publish to %s: %w: %w", t.name, ErrRejected, err)
	}
	if errors.Is(err, pubsub.ErrTopicClosed) || errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return fmt.Errorf("publish to %s: %w", t.name, ErrClosed)
	}
	if err != nil {
		return fmt.Errorf("p2p: publish to %s: %w", t.name, err)
	}
	return nil
}

// Subscribers lists the peers known to have joined the topic.
func (t *Topic) Subscribers() []peer.ID { return t.topic.ListPeers() }

// Messages yields what arrives from this call on, each message to every
// caller, until ctx ends (then its cause is the last element) or the host
// closes (then ErrClosed). A consumer may fall behind by 256 messages or 4 MiB;
// then it loses the oldest, which are counted.
func (t *Topic) Messages(ctx context.Context) iter.Seq2[Message, error] {
	q := newQueue()
	t.mu.Lock()
	if t.closed {
		q.close()
	} else {
		t.queues[q] = true
	}
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		delete(t.queues, q)
		t.mu.Unlock()
	}
	stop := context.AfterFunc(ctx, leave) // one that never iterates leaves too
	return func(yield func(Message, error) bool) {
		defer leave()
		defer stop()
		for {
			m, ok, err := q.pop(ctx)
			if err != nil {
				yield(Message{}, fmt.Errorf("messages of %s: %w", t.name, err))
				return
			}
			if !ok {
				yield(Message{}, fmt.Errorf("messages of %s: %w", t.name, ErrClosed))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// queue is a bounded queue of one consumer that loses its oldest.
type queue struct {
	mu     sync.Mutex
	items  []Message     // guarded by mu; oldest first
	bytes  int           // guarded by mu; of items
	closed bool          // guarded by mu
	more   chan struct{} // holds a token when items or closed changed
}

func newQueue() *queue { return &queue{more: make(chan struct{}, 1)} }

func (q *queue) push(m Message) (lost int) {
	q.mu.Lock()
	q.items = append(q.items, m)
	q.bytes += len(m.Data)
	for len(q.items)-lost > queueMessages || q.bytes > queueBytes {
		q.bytes -= len(q.items[lost].Data)
		lost++
	}
	q.items = slices.Delete(q.items, 0, lost)
	q.mu.Unlock()
	q.wake()
	return lost
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

// pop waits for the oldest message; ok is false once the queue is closed and empty.
func (q *queue) pop(ctx context.Context) (m Message, ok bool, err error) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			m = q.items[0]
			q.bytes -= len(m.Data)
			q.items = slices.Delete(q.items, 0, 1)
			q.mu.Unlock()
			return m, true, nil
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return Message{}, false, nil
		}
		select {
		case <-q.more:
		case <-ctx.Done():
			return Message{}, false, context.Cause(ctx)
		}
	}
}
