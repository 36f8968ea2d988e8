// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Package gopeer is a Go program that serves and calls the service of
// golden.proto, told what to do by JSON lines on its standard input. It is
// built with each implementation of DRPC.
package gopeer

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"

	"storj.io/drpc/drpcmanager"
)

// Peer is what the implementations of DRPC do differently.
type Peer struct {
	// Incoming returns the metadata that came with a call.
	Incoming func(context.Context) map[string]string

	// Outgoing adds metadata to the context of a call.
	Outgoing func(context.Context, map[string]string) context.Context

	// NewError makes the error that a handler returns. Code 0 stands for none.
	NewError func(code uint64, text string) error

	// Code and Text say what is in an error that a call failed with.
	Code func(error) uint64
	Text func(error) string

	// Manager returns the options of a connection in the words of the implementation.
	Manager func(Options) drpcmanager.Options
}

// Options are those of a connection. No implementation has all of them.
type Options struct {
	// SoftCancel says that a cancellation leaves the connection open.
	SoftCancel bool

	// MaxMessageBytes is the size of the largest message to take, if it is not 0.
	MaxMessageBytes int

	// WindowBytes and GrantBytes are the window of a stream, and how much of it
	// is granted back at once. There is no flow control if they are 0.
	WindowBytes, GrantBytes int64

	// MaxStreams is how many calls a server takes at once, if it is not 0.
	MaxStreams int

	// Compression is the name of what a client compresses with, if any.
	Compression string
}

type flags struct {
	Options
	serve                      bool
	call, cert, key, authority string
	header                     bool
	port                       int
}

// Main runs the program.
func Main(peer Peer) {
	var options flags
	flag.BoolVar(&options.serve, "serve", false, "serve")
	flag.IntVar(&options.port, "port", 0, "the port to serve on, if not any that is free")
	flag.StringVar(&options.call, "call", "", "call the server at this address")
	flag.StringVar(&options.cert, "cert", "", "a file with a certificate, to serve over TLS")
	flag.StringVar(&options.key, "key", "", "the file with its key")
	flag.StringVar(&options.authority, "ca", "", "a file with the authority to trust, to call over TLS")
	flag.BoolVar(&options.header, "header", false, "send the header of drpcmigrate, or share the port by it with HTTP")
	flag.IntVar(&options.MaxMessageBytes, "max-message", 0, "the largest message to take, if not the default")
	flag.Int64Var(&options.WindowBytes, "window", 0, "the window of a stream, for flow control")
	flag.Int64Var(&options.GrantBytes, "grant", 0, "how much of the window is granted back at once")
	flag.IntVar(&options.MaxStreams, "max-streams", 0, "how many calls to take at once, if not any number")
	flag.StringVar(&options.Compression, "compression", "", "what to compress with")
	flag.Parse()
	var err error
	if options.serve {
		err = serve(peer, options)
	} else {
		err = call(peer, options)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var output struct {
	sync.Mutex
	*json.Encoder
}

// tell writes a JSON line.
func tell(value any) {
	output.Lock()
	defer output.Unlock()
	if output.Encoder == nil {
		output.Encoder = json.NewEncoder(os.Stdout)
	}
	if err := output.Encode(value); err != nil {
		os.Exit(1)
	}
}

// readCommands runs each command in a goroutine of its own, until the input ends.
func readCommands[Command any](run func(Command)) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var command Command
		if err := json.Unmarshal(lines.Bytes(), &command); err != nil {
			return err
		}
		go run(command)
	}
	return lines.Err()
}
