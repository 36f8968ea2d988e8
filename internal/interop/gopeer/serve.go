// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

package gopeer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"storj.io/drpc"
	"storj.io/drpc/drpcmigrate"
	"storj.io/drpc/drpcmux"
	"storj.io/drpc/drpcserver"
)

// countingListener counts the connections that it accepted.
type countingListener struct {
	net.Listener
	accepted atomic.Int64
}

func (listener *countingListener) Accept() (net.Conn, error) {
	conn, err := listener.Listener.Accept()
	if err == nil {
		listener.accepted.Add(1)
	}
	return conn, err
}

func serve(peer Peer, options flags) error {
	tcp, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", options.port))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	counting := &countingListener{Listener: tcp}
	if options.header {
		shared := drpcmigrate.NewListenMux(tcp, len(drpcmigrate.DRPCHeader))
		counting.Listener = shared.Route(drpcmigrate.DRPCHeader)
		go func() { _ = http.Serve(shared.Default(), http.NotFoundHandler()) }()
		go func() { _ = shared.Run(ctx) }()
	}
	listener := net.Listener(counting)
	if options.cert != "" {
		identity, err := tls.LoadX509KeyPair(options.cert, options.key)
		if err != nil {
			return err
		}
		listener = tls.NewListener(counting, &tls.Config{Certificates: []tls.Certificate{identity}})
	}
	mux := drpcmux.New()
	if err := mux.Register(&service{peer}, description{}); err != nil {
		return err
	}
	server := drpcserver.NewWithOptions(mux, drpcserver.Options{
		Manager: peer.Manager(options.Options),
		Log:     func(err error) { fmt.Fprintln(os.Stderr, err) },
	})
	go func() {
		if err := server.Serve(ctx, listener); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	tell(map[string]any{"event": "listening", "port": tcp.Addr().(*net.TCPAddr).Port})
	type command struct{ ID int }
	return readCommands(func(asked command) {
		tell(map[string]any{"id": asked.ID, "connections": counting.accepted.Load()})
	})
}

// service is gopeer.v1.Echo, as golden.proto describes it. The metadata key
// "do" makes two of its methods do something else.
type service struct{ peer Peer }

func (*service) Identity(_ context.Context, in *Msg) (*Msg, error) { return in, nil }

func (*service) Unary(_ context.Context, in *Msg) (*Msg, error) {
	return &Msg{Text: in.Text, Data: in.Data, N: in.N + 1}, nil
}

func (s *service) Fail(ctx context.Context, in *Msg) (*Msg, error) {
	switch s.peer.Incoming(ctx)["do"] {
	case "cancel":
		return nil, context.Canceled
	case "time out":
		return nil, context.DeadlineExceeded
	}
	return nil, s.peer.NewError(uint64(in.N), in.Text)
}

func (s *service) Metadata(ctx context.Context, _ *Msg) (*Msg, error) {
	var entries []string
	for key, value := range s.peer.Incoming(ctx) {
		entries = append(entries, key+"="+value+";")
	}
	slices.Sort(entries)
	return &Msg{Text: strings.Join(entries, ""), N: int64(len(entries))}, nil
}

func (*service) ServerStream(in *Msg, stream drpc.Stream) error {
	for n := int64(1); n <= in.N; n++ {
		if err := stream.MsgSend(&Msg{Text: fmt.Sprintf("%s-%d", in.Text, n), Data: in.Data, N: n}, encoding{}); err != nil {
			return err
		}
	}
	return nil
}

func (s *service) FailStream(in *Msg, stream drpc.Stream) error {
	for n := int64(1); n <= in.N; n++ {
		if err := stream.MsgSend(&Msg{N: n}, encoding{}); err != nil {
			return err
		}
	}
	return s.peer.NewError(7, "boom")
}

func (*service) Block(_ *Msg, stream drpc.Stream) error {
	if err := stream.MsgSend(&Msg{Text: "blocked", N: 1}, encoding{}); err != nil {
		return err
	}
	<-stream.Context().Done()
	tell(map[string]any{"event": "canceled"})
	return stream.Context().Err()
}

func (*service) ClientStream(stream drpc.Stream) error {
	var texts []string
	for {
		var msg Msg
		err := stream.MsgRecv(&msg, encoding{})
		if errors.Is(err, io.EOF) {
			return stream.MsgSend(&Msg{Text: strings.Join(texts, ","), N: int64(len(texts))}, encoding{})
		}
		if err != nil {
			return err
		}
		texts = append(texts, msg.Text)
	}
}

func (*service) Bidi(stream drpc.Stream) error {
	for {
		var msg Msg
		err := stream.MsgRecv(&msg, encoding{})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.MsgSend(&Msg{Text: "echo:" + msg.Text, Data: msg.Data, N: msg.N}, encoding{}); err != nil {
			return err
		}
	}
}

func (s *service) Early(stream drpc.Stream) error {
	if s.peer.Incoming(stream.Context())["do"] == "stall" {
		<-stream.Context().Done()
	}
	return nil
}

type description struct{}

func (description) NumMethods() int { return 10 }

func (description) Method(index int) (string, drpc.Encoding, drpc.Receiver, any, bool) {
	name, receiver, method := "", drpc.Receiver(nil), any(nil)
	switch index {
	case 0:
		name, receiver, method = "Identity", unary((*service).Identity), (*service).Identity
	case 1:
		name, receiver, method = "Unary", unary((*service).Unary), (*service).Unary
	case 2:
		name, receiver, method = "Fail", unary((*service).Fail), (*service).Fail
	case 3:
		name, receiver, method = "Metadata", unary((*service).Metadata), (*service).Metadata
	case 4:
		name, receiver, method = "ServerStream", serverStream((*service).ServerStream), (*service).ServerStream
	case 5:
		name, receiver, method = "FailStream", serverStream((*service).FailStream), (*service).FailStream
	case 6:
		name, receiver, method = "Block", serverStream((*service).Block), (*service).Block
	case 7:
		name, receiver, method = "ClientStream", clientStream((*service).ClientStream), (*service).ClientStream
	case 8:
		name, receiver, method = "Bidi", clientStream((*service).Bidi), (*service).Bidi
	case 9:
		name, receiver, method = "Early", clientStream((*service).Early), (*service).Early
	default:
		return "", nil, nil, nil, false
	}
	return "/gopeer.v1.Echo/" + name, encoding{}, receiver, method, true
}

func unary(method func(*service, context.Context, *Msg) (*Msg, error)) drpc.Receiver {
	return func(srv any, ctx context.Context, in, _ any) (drpc.Message, error) {
		return method(srv.(*service), ctx, in.(*Msg))
	}
}

func serverStream(method func(*service, *Msg, drpc.Stream) error) drpc.Receiver {
	return func(srv any, _ context.Context, in, stream any) (drpc.Message, error) {
		return nil, method(srv.(*service), in.(*Msg), stream.(drpc.Stream))
	}
}

func clientStream(method func(*service, drpc.Stream) error) drpc.Receiver {
	return func(srv any, _ context.Context, stream, _ any) (drpc.Message, error) {
		return nil, method(srv.(*service), stream.(drpc.Stream))
	}
}
