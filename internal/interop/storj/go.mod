module github.com/ts-drpc/ts-drpc/internal/interop/storj

go 1.24

require (
	github.com/ts-drpc/ts-drpc/interop/gopeer v0.0.0
	storj.io/drpc v1.0.0
)

require github.com/zeebo/errs v1.2.2 // indirect

replace github.com/ts-drpc/ts-drpc/interop/gopeer => ../gopeer
