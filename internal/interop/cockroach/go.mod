module github.com/ts-drpc/ts-drpc/internal/interop/cockroach

go 1.24

require (
	github.com/ts-drpc/ts-drpc/interop/gopeer v0.0.0
	google.golang.org/grpc v1.57.2
	storj.io/drpc v1.0.0
)

require (
	github.com/golang/protobuf v1.5.3 // indirect
	github.com/zeebo/errs v1.4.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20230525234030-28d5490b6b19 // indirect
	google.golang.org/protobuf v1.30.0 // indirect
)

replace github.com/ts-drpc/ts-drpc/interop/gopeer => ../gopeer

// The fork keeps the name of its origin. This is the newest version that could be had, before multiplexing.
replace storj.io/drpc => github.com/cockroachdb/drpc v0.0.0-20260210055719-ba071c6f9395
