package devnet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrProcess says that a child process did not come up, or ended by itself.
var ErrProcess = errors.New("devnet: process")

// errStatus stands for a process that ended without a complaint.
var errStatus = errors.New("exit status 0")

// Ready is the line that 'tally up' and 'tally chain' print once they serve.
type Ready struct {
	RPC     string   `json:"rpc,omitempty"`     // chain
	Book    string   `json:"book,omitempty"`    // chain
	Account string   `json:"account,omitempty"` // node
	Peer    string   `json:"peer,omitempty"`    // node
	Addrs   []string `json:"addrs,omitempty"`   // node
	OpenAI  string   `json:"openai,omitempty"`  // node
	Gateway string   `json:"gateway,omitempty"` // node
}

// Process is a child of this one. It ends when its standard input does, so it
// never outlives us, whichever way we end.
type Process struct {
	Name  string
	Ready Ready
	cmd   *exec.Cmd
	stdin io.Closer
	log   string
	done  chan struct{} // closed when the process has ended
	err   error         // valid once done is closed
}

// spawn starts a child and waits for its ready line.
func spawn(ctx context.Context, exe, dir, name string, args ...string) (*Process, error) {
	p := &Process{Name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	logFile, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("devnet: %w", err)
	}
	defer logFile.Close()
	p.cmd = exec.Command(exe, args...) //nolint:noctx // it ends with its standard input, gracefully
	p.cmd.Stderr = logFile
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("devnet: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("devnet: %w", err)
	}
	p.stdin = in
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: start %s: %w", ErrProcess, name, err)
	}
	ready := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		if lines.Scan() {
			ready <- json.Unmarshal(lines.Bytes(), &p.Ready)
		}
		for lines.Scan() { // whatever else it says has no reader
		}
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	select {
	case err := <-ready:
		if err != nil {
			p.Kill()
			return nil, fmt.Errorf("%w: %s printed no ready line: %w", ErrProcess, name, err)
		}
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("%w: %s ended before it was ready: %w: %s", ErrProcess, name, p.cause(), p.tail())
	case <-ctx.Done():
		p.Kill()
		return nil, fmt.Errorf("%w: %s was not ready in time: %w: %s", ErrProcess, name, context.Cause(ctx), p.tail())
	}
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// ended says whether the process has.
func (p *Process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// Kill ends the process at once, as kill -9 does.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop lets the process end by itself, for some seconds.
func (p *Process) Stop() {
	_ = p.stdin.Close()
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.Kill()
	}
}

// cause is why the process ended, once done is closed.
func (p *Process) cause() error {
	if p.err == nil {
		return errStatus
	}
	return p.err
}

// tail is the end of what the process logged.
func (p *Process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return ""
	}
	const most = 2000
	if len(b) > most {
		b = b[len(b)-most:]
	}
	return strings.TrimSpace(string(b))
}
