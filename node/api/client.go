package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// ErrNoNode says that no node answers for a data directory.
var ErrNoNode = errors.New("api: no running node: start it with 'tally up'")

// Client talks to the node that runs on a data directory.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// Dial finds the node of the data directory. It does not wait for one.
func Dial(dir string) (*Client, error) {
	tok, err := os.ReadFile(filepath.Join(dir, "token"))
	if err != nil {
		return nil, fmt.Errorf("%w (looked in %s)", ErrNoNode, dir)
	}
	c := &Client{base: "http://tally", token: strings.TrimSpace(string(tok))}
	tr := &http.Transport{MaxIdleConns: 4, IdleConnTimeout: 10 * time.Second}
	if b, err := os.ReadFile(filepath.Join(dir, addressFile)); err == nil {
		c.base = "http://" + strings.TrimSpace(string(b))
	} else {
		sock := filepath.Join(dir, socketFile)
		tr.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", sock)
		}
	}
	c.http = &http.Client{Transport: tr}
	return c, nil
}

// Token is the secret that the OpenAI endpoint asks for too.
func (c *Client) Token() string { return c.token }

func (c *Client) do(ctx context.Context, method, path string, q url.Values, body io.Reader, kind string) (*http.Response, error) {
	u := c.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, fmt.Errorf("%w: %w", ErrNoNode, err)
		}
		return nil, fmt.Errorf("api: %w", err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		var f Fault
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		if json.Unmarshal(b, &f) != nil || f.Error == "" {
			f.Error = strings.TrimSpace(string(b))
		}
		return nil, errors.New(f.Error)
	}
	return resp, nil
}

// Get reads an answer of type T.
func Get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	var out T
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, "")
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	return out, decode(resp.Body, &out)
}

// Post sends a request and reads an answer of type T.
func Post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var out T
	b, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("api: %w", err)
	}
	resp, err := c.do(ctx, http.MethodPost, path, nil, bytes.NewReader(b), "application/json")
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	return out, decode(resp.Body, &out)
}

// Send sends a request by another method than POST and reads an answer of type T; in is nil
// for no body.
func Send[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	var body io.Reader
	kind := ""
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return out, fmt.Errorf("api: %w", err)
		}
		body, kind = bytes.NewReader(b), "application/json"
	}
	resp, err := c.do(ctx, method, path, nil, body, kind)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	return out, decode(resp.Body, &out)
}

// Upload sends bytes and reads an answer of type T.
func Upload[T any](ctx context.Context, c *Client, path string, q url.Values, r io.Reader) (T, error) {
	var out T
	resp, err := c.do(ctx, http.MethodPost, path, q, r, "application/octet-stream")
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	return out, decode(resp.Body, &out)
}

// Download reads an answer's bytes; the caller closes it.
func (c *Client) Download(ctx context.Context, path string, q url.Values) (io.ReadCloser, error) {
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, "")
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// Follow sends a request and yields the events of its progress. An event with an
// Error ends it as an error.
func (c *Client) Follow(ctx context.Context, path string, in any) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		b, err := json.Marshal(in)
		if err != nil {
			yield(Event{}, fmt.Errorf("api: %w", err))
			return
		}
		resp, err := c.do(ctx, http.MethodPost, path, nil, bytes.NewReader(b), "application/json")
		if err != nil {
			yield(Event{}, err)
			return
		}
		defer resp.Body.Close()
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var e Event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				yield(e, fmt.Errorf("api: event: %w", err))
				return
			}
			if e.Error != "" {
				yield(e, errors.New(e.Error))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(Event{}, fmt.Errorf("api: the node stopped answering: %w", err))
		}
	}
}

func decode(r io.Reader, v any) error {
	if err := json.NewDecoder(io.LimitReader(r, 64<<20)).Decode(v); err != nil {
		return fmt.Errorf("api: answer: %w", err)
	}
	return nil
}
