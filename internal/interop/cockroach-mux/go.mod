// The fork sets flow control by a package that is internal, which can be imported from below its own path only.
module storj.io/drpc/ts-drpc-interop

go 1.24

require (
	github.com/ts-drpc/ts-drpc/interop/gopeer v0.0.0
	google.golang.org/grpc v1.57.2
	storj.io/drpc v1.0.0
)

replace github.com/ts-drpc/ts-drpc/interop/gopeer => ../gopeer

// It builds with the fork only, a version of which `npm run interop -- --mux-fork VERSION` puts in the place of storj.io/drpc.
