// Package api is how people and programs on the machine reach a running node.
//
// There are two doors. The local API under /v0 is for the tally command and
// scripts: JSON over a unix socket in the data directory, which only its owner
// can open (or, where a socket's path would be too long, over loopback with the
// directory's token). The OpenAI-compatible API under /v1 listens on loopback
// TCP and asks for the same token as a bearer key, since it spends the node's
// money; see package openai.
//
// A long job answers with newline-delimited JSON, an Event a line, while it
// runs. Every error is {"error": "..."} with a status that says whose fault it is.
//
// The package knows the shapes and the transport; what a request does is the
// Node's. Bodies, headers and times are bounded. The server ends with its
// context and leaves nothing behind.
package api

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const (
	socketFile  = "api.sock"
	addressFile = "api.addr"
	maxSocket   = 100 // bytes of a unix socket's path, below every system's limit
	maxBody     = 1 << 20

	finishWithin = 2 * time.Second // an answer under way, when the server ends
)

// MaxUpload is the most that a body of data or of a model's files has, in bytes: what a shard
// holds.
const MaxUpload = 1 << 30

// ErrBadRequest is the class of errors that the caller can mend.
var ErrBadRequest = errors.New("bad request")

// ErrNotFound is the class of errors for things that are not there.
var ErrNotFound = errors.New("not found")

// Node is what a running node does, by noun.
type Node struct {
	Status   func(context.Context) (Status, error)
	Datanets Datanets
	Jobs     Jobs
	Models   Models
	Receipts Receipts
	Money    Money
	Storage  Storage
}

// Jobs are opened and followed. say is called for every event, from one goroutine.
type Jobs interface {
	Pin(ctx context.Context, in PinShard) (Pin, error)
	Train(ctx context.Context, in Train, say func(Event)) (Model, error)
}

// Models are added, found, fetched and exported.
type Models interface {
	AddModel(ctx context.Context, name, base string, tar io.Reader) (Model, error)
	ShowModel(ctx context.Context, cid string) (Model, error)
	FetchModel(ctx context.Context, cid string) (Model, error)
	ListModels(ctx context.Context) ([]Model, error)
	ExportModel(ctx context.Context, cid string, as Form, tar io.Writer) error
	EvaluateModel(ctx context.Context, cid, datanet string, text io.Reader) (Evaluation, error)
	VerifyModel(ctx context.Context, cid string, in VerifyModel, say func(Event)) (ModelCheck, error)
}

// Receipts are what this node did and paid for.
type Receipts interface {
	ListReceipts(ctx context.Context) ([]Receipt, error)
	ShowReceipt(ctx context.Context, cid string) (Receipt, error)
	VerifyReceipt(ctx context.Context, cid string) (Verification, error)
	DiscloseReceipt(ctx context.Context, cid, to string) (Receipt, error)
}

// Money is what was earned.
type Money interface {
	Rewards(ctx context.Context, account string) (Rewards, error)
	Claim(ctx context.Context, account string) ([]Claim, error)
	AuditEpoch(ctx context.Context, epoch uint64) (Audit, error)
	Retrievals(ctx context.Context) ([]Retrieval, error)
	Withdraw(ctx context.Context, amount string) (Withdrawal, error)
}

// ListenLocal opens the local API's door in a data directory.
func ListenLocal(dir string) (net.Listener, error) {
	sock, addr := filepath.Join(dir, socketFile), filepath.Join(dir, addressFile)
	if err := errors.Join(removeOld(sock), removeOld(addr)); err != nil {
		return nil, err
	}
	if len(sock) <= maxSocket {
		l, err := net.Listen("unix", sock)
		if err != nil {
			return nil, fmt.Errorf("api: listen on %s: %w", sock, err)
		}
		if err := os.Chmod(sock, 0o600); err != nil {
			l.Close()
			return nil, fmt.Errorf("api: %w", err)
		}
		return l, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("api: listen on loopback: %w", err)
	}
	if err := os.WriteFile(addr, []byte(l.Addr().String()+"\n"), 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("api: %w", err)
	}
	return l, nil
}

// removeOld takes away what an earlier run left; the data directory is locked.
func removeOld(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("api: %w", err)
	}
	return nil
}

// Serve answers on l until ctx ends.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("api: serve: %w", err)
	case <-ctx.Done():
	}
	// The answer under way, such as to the request that ended ctx, may finish.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	err := s.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	<-done
	return err
}

// Guard lets only callers with the token pass, and only under a loopback name, so
// that no web page can reach it by a name of its own. The others get what fail
// writes, so that a door's every error has that door's shape.
func Guard(token string, fail func(http.ResponseWriter, int, error), next http.Handler) http.Handler {
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			fail(w, http.StatusUnauthorized, errors.New("send the token of the data directory as 'Authorization: Bearer …'"))
			return
		}
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(host); host != "localhost" && host != "tally" && (ip == nil || !ip.IsLoopback()) {
			fail(w, http.StatusForbidden, fmt.Errorf("host %q: use a loopback address", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Fail writes an error.
func Fail(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Fault{Error: err.Error()})
}

func status(err error) int {
	switch {
	case errors.Is(err, ErrBadRequest):
		return http.StatusBadRequest
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

// Handler routes the local API. shutdown ends the node.
func Handler(n Node, shutdown func(), log *slog.Logger) http.Handler {
	m := http.NewServeMux()
	get(m, "GET /v0/status", func(r *http.Request) (any, error) { return n.Status(r.Context()) })
	routeStorage(m, n.Storage)
	get(m, "POST /v0/stop", func(*http.Request) (any, error) { shutdown(); return struct{}{}, nil })

	datanetRoutes(m, n.Datanets, log)
	post(m, "POST /v0/pins", func(r *http.Request, in PinShard) (any, error) { return n.Jobs.Pin(r.Context(), in) })
	m.HandleFunc("POST /v0/models/train", func(w http.ResponseWriter, r *http.Request) {
		in, err := body[Train](r)
		if err == nil && in.Steps < 0 {
			err = fmt.Errorf("%w: %d steps: write how many, or 0 for the preset's", ErrBadRequest, in.Steps)
		}
		follow(w, log, err, func(say func(Event)) (Event, error) {
			m, err := n.Jobs.Train(r.Context(), in, say)
			return Event{State: "final", Model: &m}, err
		})
	})
	m.HandleFunc("POST /v0/models/{cid}/verify", func(w http.ResponseWriter, r *http.Request) {
		in, err := body[VerifyModel](r)
		follow(w, log, err, func(say func(Event)) (Event, error) {
			v, err := n.Models.VerifyModel(r.Context(), r.PathValue("cid"), in, say)
			return Event{State: "final", Check: &v}, err
		})
	})
	get(m, "POST /v0/models", func(r *http.Request) (any, error) {
		q := r.URL.Query()
		return n.Models.AddModel(r.Context(), q.Get("name"), q.Get("base"), http.MaxBytesReader(nil, r.Body, MaxUpload))
	})
	get(m, "GET /v0/models", func(r *http.Request) (any, error) { return n.Models.ListModels(r.Context()) })
	get(m, "GET /v0/models/{cid}", func(r *http.Request) (any, error) { return n.Models.ShowModel(r.Context(), r.PathValue("cid")) })
	get(m, "POST /v0/models/{cid}/fetch", func(r *http.Request) (any, error) { return n.Models.FetchModel(r.Context(), r.PathValue("cid")) })
	get(m, "POST /v0/models/{cid}/eval", func(r *http.Request) (any, error) {
		return n.Models.EvaluateModel(r.Context(), r.PathValue("cid"), r.URL.Query().Get("datanet"), http.MaxBytesReader(nil, r.Body, MaxUpload))
	})
	m.HandleFunc("GET /v0/models/{cid}/files", func(w http.ResponseWriter, r *http.Request) {
		if _, err := n.Models.FetchModel(r.Context(), r.PathValue("cid")); err != nil {
			Fail(w, status(err), err)
			return
		}
		q := r.URL.Query()
		out := &begun{ResponseWriter: w}
		w.Header().Set("Content-Type", "application/x-tar")
		err := n.Models.ExportModel(r.Context(), r.PathValue("cid"), Form{Format: q.Get("format"), Type: q.Get("type"), Merge: q.Get("merge") != ""}, out)
		switch {
		case err == nil:
		case !out.yes:
			Fail(w, status(err), err)
		default:
			log.Warn("export ended early", "err", err)
			panic(http.ErrAbortHandler) // the reader sees a broken stream, not a short archive
		}
	})
	get(m, "GET /v0/receipts", func(r *http.Request) (any, error) { return n.Receipts.ListReceipts(r.Context()) })
	get(m, "GET /v0/receipts/{cid}", func(r *http.Request) (any, error) { return n.Receipts.ShowReceipt(r.Context(), r.PathValue("cid")) })
	get(m, "POST /v0/receipts/{cid}/verify", func(r *http.Request) (any, error) {
		return n.Receipts.VerifyReceipt(r.Context(), r.PathValue("cid"))
	})
	get(m, "POST /v0/receipts/{cid}/disclose", func(r *http.Request) (any, error) {
		return n.Receipts.DiscloseReceipt(r.Context(), r.PathValue("cid"), r.URL.Query().Get("to"))
	})
	get(m, "GET /v0/rewards", func(r *http.Request) (any, error) { return n.Money.Rewards(r.Context(), r.URL.Query().Get("account")) })
	get(m, "POST /v0/withdraw", func(r *http.Request) (any, error) {
		return n.Money.Withdraw(r.Context(), r.URL.Query().Get("amount"))
	})
	get(m, "POST /v0/claim", func(r *http.Request) (any, error) { return n.Money.Claim(r.Context(), r.URL.Query().Get("account")) })
	get(m, "GET /v0/retrievals", func(r *http.Request) (any, error) { return n.Money.Retrievals(r.Context()) })
	get(m, "POST /v0/epochs/{n}/audit", func(r *http.Request) (any, error) {
		e, err := strconv.ParseUint(r.PathValue("n"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%w: epoch %q: write a decimal number from 0", ErrBadRequest, r.PathValue("n"))
		}
		return n.Money.AuditEpoch(r.Context(), e)
	})
	return m
}

// begun knows whether an answer has begun, so that an error can no longer have a status.
type begun struct {
	http.ResponseWriter
	yes bool
}

// Write implements io.Writer.
func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.ResponseWriter.Write(p)
}

func get(m *http.ServeMux, pattern string, f func(*http.Request) (any, error)) {
	m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		if err != nil {
			Fail(w, status(err), err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	})
}

func post[T any](m *http.ServeMux, pattern string, f func(*http.Request, T) (any, error)) {
	get(m, pattern, func(r *http.Request) (any, error) {
		in, err := body[T](r)
		if err != nil {
			return nil, err
		}
		return f(r, in)
	})
}

func body[T any](r *http.Request) (T, error) {
	var in T
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return in, fmt.Errorf("%w: the body is not what belongs here: %w", ErrBadRequest, err)
	}
	return in, nil
}

// follow answers with the events of a job, unless the request was wrong. An error
// before the first event has a status of its own, a later one is the last event.
func follow(w http.ResponseWriter, log *slog.Logger, wrong error, job func(say func(Event)) (Event, error)) {
	if wrong != nil {
		Fail(w, status(wrong), wrong)
		return
	}
	enc, out := json.NewEncoder(w), http.NewResponseController(w)
	began := false
	say := func(e Event) {
		if !began {
			began = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		if err := errors.Join(enc.Encode(e), out.Flush()); err != nil {
			log.Debug("nobody listens to the job's progress", "err", err)
		}
	}
	last, err := job(say)
	switch {
	case err == nil:
		say(last)
	case began:
		say(Event{Error: err.Error()})
	default:
		Fail(w, status(err), err)
	}
}
