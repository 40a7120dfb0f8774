package node

import (
	"context"

	"tally/node/api"
	"tally/protocol"
)

// Retrievals implements api.Money: the checks that this node made or was told of, of epochs not settled
// long ago. Those of an epoch that is settled are in its audit, for anybody.
func (n *Node) Retrievals(ctx context.Context) ([]api.Retrieval, error) {
	all, err := n.journal.Reports(ctx, 0)
	if err != nil {
		return nil, err
	}
	out := []api.Retrieval{}
	for _, s := range all {
		r, err := s.Open(n.book.Network)
		if err != nil {
			return nil, err
		}
		out = append(out, retrievalJSON(r))
	}
	return out, nil
}

// published are the checks in an epoch's data.
func (n *Node) published(reports [][]byte) ([]api.Retrieval, error) {
	out := []api.Retrieval{}
	for _, raw := range reports {
		s, err := protocol.ParseSigned[protocol.RetrievalReport](raw)
		if err != nil {
			return nil, err
		}
		r, err := s.Open(n.book.Network)
		if err != nil {
			return nil, err
		}
		out = append(out, retrievalJSON(r))
	}
	return out, nil
}

func retrievalJSON(r protocol.RetrievalReport) api.Retrieval {
	outcome := [...]string{protocol.RetrievalGood: "good", protocol.RetrievalSilent: "silent", protocol.RetrievalWrong: "wrong"}
	out := api.Retrieval{
		Epoch: r.Epoch, Auditor: r.Auditor.Hex(), Node: r.Node.Hex(), Piece: r.Piece.Hex(), Leaf: r.Leaf, Millis: r.Millis, Bytes: r.Bytes,
	}
	if int(r.Outcome) < len(outcome) {
		out.Outcome = outcome[r.Outcome]
	}
	return out
}
