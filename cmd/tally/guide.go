package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"

	"tally/node/api"
)

// bar shows a job's progress.
type bar struct {
	w     io.Writer
	title string
	p     *progressbar.ProgressBar // nil until the first step
}

func newBar(w io.Writer, title string) *bar { return &bar{w: w, title: title} }

func (b *bar) event(e api.Event) {
	switch {
	case e.Steps > 0:
		if b.p == nil {
			b.p = progressbar.NewOptions64(int64(e.Steps), progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(b.title),
				progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(30),
				progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionClearOnFinish())
		}
		b.p.Describe(fmt.Sprintf("%s, loss %.2f", b.title, e.Loss))
		_ = b.p.Set64(int64(e.Step))
	case e.Note != "":
		b.clear()
		fmt.Fprintln(b.w, e.Note)
	}
}

func (b *bar) clear() {
	if b.p != nil {
		_ = b.p.Clear()
	}
}

func (b *bar) end() {
	if b.p != nil {
		_ = b.p.Finish()
		b.p = nil
	}
}

// guide tells a devnet's tour.
type guide struct {
	w io.Writer
	b *bar
}

// Say writes one sentence.
func (g *guide) Say(sentence string) {
	g.end()
	fmt.Fprintln(g.w, "•", sentence)
}

// Event moves the training's bar.
func (g *guide) Event(e api.Event) {
	if g.b == nil {
		g.b = newBar(g.w, "  training")
	}
	g.b.event(e)
}

func (g *guide) end() {
	if g.b != nil {
		g.b.end()
		g.b = nil
	}
}
