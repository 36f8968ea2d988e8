// Its name has no `internal`, as cockroach-mux is named as if it were a part of the fork.
module github.com/ts-drpc/ts-drpc/interop/gopeer

go 1.24

require storj.io/drpc v1.0.0

require github.com/zeebo/errs v1.2.2 // indirect
