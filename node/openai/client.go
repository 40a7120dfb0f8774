package openai

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Client asks an OpenAI-compatible endpoint.
type Client struct {
	base string // ends in /v1
	key  string
	http *http.Client
}

// NewClient returns a client of the endpoint at base, such as
// http://127.0.0.1:8080/v1.
func NewClient(base, key string) *Client {
	return &Client{strings.TrimSuffix(base, "/"), key, &http.Client{}}
}

func (c *Client) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("openai: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("openai: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		var f faultBody
		if json.Unmarshal(b, &f) == nil && f.Error.Message != "" {
			return nil, errors.New(f.Error.Message)
		}
		return nil, fmt.Errorf("openai: %s: %s", resp.Status, bytes.TrimSpace(b))
	}
	return resp, nil
}

// FirstModel is the id of the first model listed.
func (c *Client) FirstModel(ctx context.Context) (string, error) {
	resp, err := c.do(ctx, http.MethodGet, "/models", nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&list); err != nil {
		return "", fmt.Errorf("openai: %w", err)
	}
	if len(list.Data) == 0 {
		return "", fmt.Errorf("%w: the node knows no model yet: train one, or name one with --model", ErrNoModel)
	}
	return list.Data[0].ID, nil
}

// Complete streams a completion: text gets every piece, and the whole comes back.
func (c *Client) Complete(ctx context.Context, in CompletionRequest, text func(string)) (Completion, error) {
	in.Stream, in.StreamOptions = true, &StreamOptions{IncludeUsage: true}
	if in.TemperatureIn == nil {
		in.TemperatureIn = &in.Temperature
	}
	body, err := json.Marshal(in)
	if err != nil {
		return Completion{}, fmt.Errorf("openai: %w", err)
	}
	resp, err := c.do(ctx, http.MethodPost, "/completions", body)
	if err != nil {
		return Completion{}, err
	}
	defer resp.Body.Close()
	var out Completion
	var whole strings.Builder
	var finish *string
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, maxBody)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		if data == "[DONE]" {
			out.Choices = []Choice{{Text: whole.String(), Finish: finish}}
			return out, nil
		}
		var f faultBody
		if json.Unmarshal([]byte(data), &f) == nil && f.Error.Message != "" {
			return Completion{}, errors.New(f.Error.Message)
		}
		var e Completion
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return Completion{}, fmt.Errorf("openai: event: %w", err)
		}
		for _, ch := range e.Choices {
			whole.WriteString(ch.Text)
			if ch.Text != "" {
				text(ch.Text)
			}
			if ch.Finish != nil {
				finish = ch.Finish
			}
		}
		usage, tally := out.Usage, out.Tally
		out = e
		if out.Usage == nil {
			out.Usage = usage
		}
		if out.Tally == nil {
			out.Tally = tally
		}
	}
	return Completion{}, fmt.Errorf("openai: the stream ended early: %w", errors.Join(lines.Err(), io.ErrUnexpectedEOF))
}
