// Command tally is a node of a Tally network and the way to talk to one.
//
//	tally devnet            a whole network on this machine, and a tour of it
//	tally init, up, status  make a node, run it, see how it is
//	tally datanet …         publish data and read it
//	tally model …           train, show and export models
//	tally ask               ask a model a question
//	tally receipt …         the work done and paid for
//	tally rewards, claim    what was earned, and getting it
//	tally withdraw          money that no job holds any more
//	tally audit epoch N     derive an epoch again from public data
//
// Every command that answers something takes --json and then prints one JSON
// value on standard output, and nothing else there. Progress and complaints go
// to standard error. The exit status is 0 only if the command did what it says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot(os.Stdout, os.Stderr).ExecuteContext(ctx)
	stop()
	if err != nil {
		if !errors.Is(err, errTold) {
			fmt.Fprintln(os.Stderr, "tally:", err)
		}
		os.Exit(1)
	}
}
