package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// portion is how many bytes of an answer are paid for, and written, at a time.
const portion = 64 << 10

// paced has answers that leave this machine wait for their part of the line, and ends those that
// nobody reads.
func paced(pace func(ctx context.Context, bytes int) error, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &pacer{ResponseWriter: w, ctx: r.Context(), control: http.NewResponseController(w)}
		if !stays(r) {
			p.pace = pace
		}
		defer func() { _ = p.control.SetWriteDeadline(time.Time{}) }() // the connection may serve another
		next.ServeHTTP(p, r)
	})
}

// stays says whether an answer stays on this machine: who asks is on it, and hands
// nothing on to others, as far as it says.
func stays(r *http.Request) bool {
	for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(h) != "" {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// pacer is one answer.
type pacer struct {
	http.ResponseWriter
	ctx     context.Context // the request's
	control *http.ResponseController
	pace    func(ctx context.Context, bytes int) error // nil for what stays here
}

// Write writes b as the line allows. Only time in which the reader takes nothing is the reader's.
func (p *pacer) Write(b []byte) (n int, err error) {
	for n < len(b) {
		part := b[n:min(len(b), n+portion)]
		if p.pace != nil {
			if err := p.pace(p.ctx, len(part)); err != nil {
				return n, err
			}
		}
		if err := p.control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return n, err
		}
		m, err := p.ResponseWriter.Write(part)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Flush implements http.Flusher.
func (p *pacer) Flush() { _ = p.control.Flush() } // nothing is told of it: the next Write fails

// Unwrap is for http.ResponseController.
func (p *pacer) Unwrap() http.ResponseWriter { return p.ResponseWriter }
