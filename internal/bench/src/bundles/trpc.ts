// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createTRPCClient, createWSClient, type TRPCClient, wsLink } from "@trpc/client";
import type { BenchRouter } from "../contenders/trpc.js";

export const createBench = (url: string): TRPCClient<BenchRouter> =>
  createTRPCClient<BenchRouter>({ links: [wsLink({ client: createWSClient({ url }) })] });
