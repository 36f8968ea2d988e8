// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createRouter, type Router } from "../rpc/router.js";
import { type ServeOptions, serveConnection } from "../rpc/serve-connection.js";
import { createSessionTransport, type SessionTransportOptions } from "../rpc/session-transport.js";
import type { Transport } from "../rpc/transport.js";
import { createConnectionPair } from "./connection-pair.js";

/** Options of a {@link createRouterTransport}. */
export interface RouterTransportOptions {
  /** Options of the side that calls. */
  readonly client?: SessionTransportOptions | undefined;

  /** Options of the side that serves. */
  readonly server?: ServeOptions | undefined;
}

/**
 * Creates a transport to handlers in the same process, without a socket. Calls
 * still go over the wire format, so that tests see what real calls see.
 *
 * @example
 * const transport = createRouterTransport((router) => registerEchoService(router, { say: () => ({ sentence: "fake" }) }));
 */
export function createRouterTransport(
  routes: (router: Router) => void,
  options: RouterTransportOptions = {},
): Transport {
  const router = createRouter();
  routes(router);
  const dial = async (): Promise<ReturnType<typeof createConnectionPair>["client"]> => {
    const { client, server } = createConnectionPair();
    serveConnection(server, router, options.server);
    return client;
  };
  return createSessionTransport(dial, options.client);
}
