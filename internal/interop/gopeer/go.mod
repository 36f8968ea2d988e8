module github.com/ts-drpc/ts-drpc/internal/interop/gopeer

go 1.24

require storj.io/drpc v1.0.0

require github.com/zeebo/errs v1.2.2 // indirect
