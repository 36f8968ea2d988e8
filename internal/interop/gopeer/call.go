// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

package gopeer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"storj.io/drpc"
	"storj.io/drpc/drpcconn"
	"storj.io/drpc/drpcmigrate"
)

// callCommand is a call to make, and what is to be done while it is under way.
type callCommand struct {
	ID int

	// Conn names the connection. It is made when it is first used.
	Conn string

	// SoftCancel is an option of the connection.
	SoftCancel bool

	// CloseConn closes the connection instead of calling.
	CloseConn bool

	RPC      string
	Unary    bool
	Metadata map[string]string

	// Sends is how many messages are sent, with the text and the number, which
	// counts up, and so many bytes of data.
	Sends int
	Text  string
	N     int64
	Size  int

	// KeepOpen says that the client does not half-close.
	KeepOpen bool

	// CancelAfter cancels the context once so many messages have come, if it is not 0.
	CancelAfter int
	TimeoutMs   int
}

// callResult is what came of it.
type callResult struct {
	ID       int    `json:"id"`
	Received int    `json:"received"`
	Text     string `json:"text"`
	Size     int    `json:"size"`
	N        string `json:"n"`

	// Intact is false if the data of any message was not what is sent everywhere.
	Intact bool `json:"intact"`

	// InOrder is false if the numbers of the messages did not count up by one.
	InOrder bool `json:"inOrder"`

	Failed    bool   `json:"failed"`
	Code      string `json:"code"`
	Error     string `json:"error"`
	SendError string `json:"sendError"`
	Closed    bool   `json:"closed"`
}

type caller struct {
	peer    Peer
	options flags
	tls     *tls.Config

	mu    sync.Mutex
	conns map[string]*drpcconn.Conn
}

func call(peer Peer, options flags) error {
	calls := &caller{peer: peer, options: options, conns: map[string]*drpcconn.Conn{}}
	if options.authority != "" {
		pem, err := os.ReadFile(options.authority)
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		calls.tls = &tls.Config{RootCAs: roots, ServerName: "localhost"}
	}
	return readCommands(func(command callCommand) { tell(calls.run(command)) })
}

func (calls *caller) conn(command callCommand) (*drpcconn.Conn, error) {
	calls.mu.Lock()
	defer calls.mu.Unlock()
	if conn := calls.conns[command.Conn]; conn != nil {
		return conn, nil
	}
	transport, err := net.Dial("tcp", calls.options.call)
	if err != nil {
		return nil, err
	}
	if calls.options.header {
		transport = drpcmigrate.NewHeaderConn(transport, drpcmigrate.DRPCHeader)
	}
	if calls.tls != nil {
		transport = tls.Client(transport, calls.tls)
	}
	options := calls.options.Options
	options.SoftCancel = command.SoftCancel
	conn := drpcconn.NewWithOptions(transport, drpcconn.Options{Manager: calls.peer.Manager(options)})
	calls.conns[command.Conn] = conn
	return conn, nil
}

func (calls *caller) run(command callCommand) callResult {
	result := callResult{ID: command.ID, Intact: true, InOrder: true}
	conn, err := calls.conn(command)
	if err == nil && command.CloseConn {
		calls.mu.Lock()
		delete(calls.conns, command.Conn)
		calls.mu.Unlock()
		err = conn.Close()
	} else if err == nil {
		err = calls.call(conn, command, &result)
	}
	if err != nil {
		result.Failed = true
		result.Code = fmt.Sprint(calls.peer.Code(err))
		result.Error = calls.peer.Text(err)
	}
	if conn != nil {
		select {
		case <-conn.Closed():
			result.Closed = true
		default:
		}
	}
	return result
}

func (calls *caller) call(conn *drpcconn.Conn, command callCommand, result *callResult) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if command.TimeoutMs > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(command.TimeoutMs)*time.Millisecond)
		defer cancel()
	}
	if len(command.Metadata) > 0 {
		ctx = calls.peer.Outgoing(ctx, command.Metadata)
	}
	request := func(index int) *Msg {
		return &Msg{Text: command.Text, Data: pattern(command.Size), N: command.N + int64(index)}
	}
	if command.Unary {
		var response Msg
		if err := conn.Invoke(ctx, command.RPC, encoding{}, request(0), &response); err != nil {
			return err
		}
		result.add(response)
		return nil
	}
	stream, err := conn.NewStream(ctx, command.RPC, encoding{})
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for index := range command.Sends {
			if err := stream.MsgSend(request(index), encoding{}); err != nil {
				result.SendError = err.Error()
				return
			}
		}
		if !command.KeepOpen {
			if err := stream.CloseSend(); err != nil {
				result.SendError = err.Error()
			}
		}
	}()
	err = result.receive(stream, command.CancelAfter, cancel)
	<-sent
	return err
}

func (result *callResult) receive(stream drpc.Stream, cancelAfter int, cancel func()) error {
	for {
		var response Msg
		err := stream.MsgRecv(&response, encoding{})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		result.add(response)
		if result.Received == cancelAfter {
			cancel()
		}
	}
}

func (result *callResult) add(response Msg) {
	n := fmt.Sprint(response.N)
	if result.Received > 0 && n != fmt.Sprint(result.Received+1) {
		result.InOrder = false
	}
	result.Received++
	result.Text, result.N, result.Size = response.Text, n, len(response.Data)
	result.Intact = result.Intact && isPattern(response.Data)
}
