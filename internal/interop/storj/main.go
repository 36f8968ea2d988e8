// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The command storj is the Go peer with storj.io/drpc.
package main

import (
	"context"
	"errors"

	"github.com/ts-drpc/ts-drpc/interop/gopeer"
	"storj.io/drpc/drpcerr"
	"storj.io/drpc/drpcmanager"
	"storj.io/drpc/drpcmetadata"
)

func main() {
	gopeer.Main(gopeer.Peer{
		Incoming: func(ctx context.Context) map[string]string {
			metadata, _ := drpcmetadata.Get(ctx)
			return metadata
		},
		Outgoing: drpcmetadata.AddPairs,
		NewError: func(code uint64, text string) error { return drpcerr.WithCode(errors.New(text), code) },
		Code:     drpcerr.Code,
		Text:     error.Error,
		Manager:  manager,
	})
}

func manager(options gopeer.Options) drpcmanager.Options {
	manager := drpcmanager.Options{SoftCancel: options.SoftCancel}
	manager.Reader.MaximumBufferSize = options.MaxMessageBytes
	return manager
}
