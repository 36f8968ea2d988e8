// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The command cockroach-mux is the Go peer with CockroachDB's fork of DRPC as
// it is since it multiplexes, in May 2026.
package main

import (
	"context"
	"errors"

	"github.com/ts-drpc/ts-drpc/interop/gopeer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"storj.io/drpc"
	"storj.io/drpc/drpcmanager"
	"storj.io/drpc/drpcmetadata"
	"storj.io/drpc/drpcwire"
	"storj.io/drpc/internal/drpcopts"
)

func main() {
	gopeer.Main(gopeer.Peer{
		Incoming: func(ctx context.Context) map[string]string {
			metadata, _ := drpcmetadata.GetFromIncomingContext(ctx)
			return metadata
		},
		Outgoing: drpcmetadata.NewOutgoingContext,
		NewError: func(code uint64, text string) error {
			if code == 0 {
				return errors.New(text)
			}
			return status.Error(codes.Code(code), text)
		},
		Code:    func(err error) uint64 { return uint64(status.Code(err)) },
		Text:    func(err error) string { return status.Convert(err).Message() },
		Manager: manager,
	})
}

func manager(options gopeer.Options) drpcmanager.Options {
	manager := drpcmanager.Options{MaxStreams: options.MaxStreams}
	if options.Compression != "" {
		compression, known := drpcwire.CompressionFromName(options.Compression)
		if !known {
			panic("not a compression: " + options.Compression)
		}
		manager.CompressionFunc = func() drpc.Compression { return compression }
	}
	if options.WindowBytes > 0 {
		drpcopts.SetStreamFlowControl(&manager.Stream.Internal, drpcopts.FlowControl{
			Enabled:        true,
			StreamWindow:   options.WindowBytes,
			GrantThreshold: options.GrantBytes,
			MaxMessageSize: int64(options.MaxMessageBytes),
		})
	}
	return manager
}
