// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { newWebSocketRpcSession, type RpcStub } from "capnweb";

interface Bench {
  echo(body: string): string;
}

export const createBench = (url: string): RpcStub<Bench> => newWebSocketRpcSession<Bench>(url);
