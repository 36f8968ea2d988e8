// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContractPair, contractServer, type ServerControl, transportContract } from "@ts-drpc-internal/contract";
import { certificates } from "@ts-drpc-internal/fixtures";
import { createNodeServer, createNodeTransport, type ListenSecurity, type NodeServer } from "../src/index.js";
import { createChildProcessPair } from "./child-process-pair.js";

const everything = { server: true, reopen: true };

transportContract("TCP", everything, () => createTcpPair({}, {}));

transportContract("TLS", everything, () =>
  createTcpPair({ tls: certificates.server }, { tls: { ca: certificates.authority } }),
);

transportContract("TLS with client certificates", everything, () =>
  createTcpPair(
    { tls: { ...certificates.server, ca: certificates.authority, requestCert: true } },
    { tls: { ...certificates.client, ca: certificates.authority } },
  ),
);

transportContract("unix sockets", everything, async () => {
  const directory = await mkdtemp(join(tmpdir(), "ts-drpc-"));
  const path = join(directory, "echo.sock");
  const control = new NodeServerControl((server) => server.listen({ path }));
  await control.reopen();
  const dispose = async (): Promise<void> => {
    await control.close({ drainMs: 0 });
    await rm(directory, { recursive: true });
  };
  return { transport: createNodeTransport({ path }), address: path, server: control, dispose };
});

transportContract("the pipes of a child process", { server: true, reopen: false }, createChildProcessPair);

async function createTcpPair(
  listen: ListenSecurity,
  dial: Pick<Parameters<typeof createNodeTransport>[0], "tls">,
): Promise<ContractPair> {
  let port = 0;
  const control = new NodeServerControl(async (server) => {
    ({ port } = await server.listen({ host: "localhost", port, ...listen }));
  });
  await control.reopen();
  return {
    transport: createNodeTransport({ port, ...dial }),
    address: `localhost:${port}`,
    server: control,
    dispose: async () => {
      await control.close({ drainMs: 0 });
    },
  };
}

/** Closes a server, and opens another one in its place. */
class NodeServerControl implements ServerControl {
  readonly #listen: (server: NodeServer) => Promise<unknown>;
  #server: NodeServer | undefined;

  constructor(listen: (server: NodeServer) => Promise<unknown>) {
    this.#listen = listen;
  }

  async connectionCount(): Promise<number> {
    return this.#opened.connectionCount;
  }

  close(options: { readonly drainMs: number }): ReturnType<NodeServer["close"]> {
    return this.#opened.close(options);
  }

  async reopen(): Promise<void> {
    this.#server = createNodeServer(contractServer());
    await this.#listen(this.#server);
  }

  get #opened(): NodeServer {
    if (this.#server === undefined) {
      throw new Error("the server was never opened");
    }
    return this.#server;
  }
}
