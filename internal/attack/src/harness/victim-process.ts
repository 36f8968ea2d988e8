// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The process that is attacked: a server of ours that also makes calls, if it is told to, to servers that attack it.

import { Code, codeName, DrpcError, type Gate, type HandlerContext } from "@ts-drpc/core";
import { createNodeServer, type NodeServer, type NodeServerOptions } from "@ts-drpc/node";
import { certificates, registerEchoService } from "@ts-drpc-internal/fixtures";
import { answerCommands } from "./child-commands.js";
import { heldMemory, MemoryPeak } from "./process-memory.js";
import { type VictimCall, victimCalls } from "./victim-calls.js";
import { userKey, VictimHandler } from "./victim-handler.js";

/** How the server is set up. */
export interface VictimOptions {
  /** Its limits. Defaults to the defaults. */
  readonly limits?: Partial<Omit<NodeServerOptions, "routes">>;

  /** True if it refuses all callers without the metadata `user`. Defaults to false. */
  readonly authenticates?: boolean;
}

/** Where the server listens. */
export interface VictimPorts {
  readonly port: number;
  readonly tlsPort: number;
}

/** What the server noted. */
export interface VictimJournal {
  readonly started: number;
  readonly settled: number;
  readonly mostRunning: number;

  /** How many connections are being served. */
  readonly connections: number;

  /** How often `onError` was told of what a handler threw. */
  readonly handlerErrors: number;

  /** How many connections ended for which reason, numbers left out. */
  readonly connectionErrors: Readonly<Record<string, number>>;

  /** What nobody handled. Anything here would have ended the process of a user. */
  readonly unhandled: readonly string[];
}

const handler = new VictimHandler();
const peak = new MemoryPeak();
const unhandled: string[] = [];
const connectionErrors = new Map<string, number>();
const maxConnectionErrors = 100;
let handlerErrors = 0;
let server: NodeServer | undefined;

for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (reason: unknown) => unhandled.push(reason instanceof Error ? String(reason.stack) : "no error"));
}

const authenticate: Gate = ({ metadata }) => {
  if (!metadata.has(userKey)) {
    throw new DrpcError("who calls must say so", Code.Unauthenticated);
  }
};

answerCommands({
  async listen({ limits = {}, authenticates = false }: VictimOptions): Promise<VictimPorts> {
    server = createNodeServer({
      ...limits,
      routes: (router) => registerEchoService(router, handler),
      gate: authenticates ? authenticate : undefined,
      onError: (_reason: unknown, _context: HandlerContext) => {
        handlerErrors++;
      },
      onConnectionError: noteConnectionError,
    });
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const tls = { ...certificates.server };
    const { port: tlsPort } = await server.listen({ host: "127.0.0.1", port: 0, tls });
    return { port, tlsPort };
  },
  async listenOn(host: string): Promise<number | undefined> {
    return (await server?.listen({ host, port: 0 }))?.port;
  },
  reset(): void {
    peak.reset();
    Object.assign(handler.journal, { started: 0, settled: 0, mostRunning: 0 });
    connectionErrors.clear();
    handlerErrors = 0;
  },
  peak: () => peak.report(),
  held: () => heldMemory(),
  release: () => handler.release(),
  journal: (): VictimJournal => ({
    ...handler.journal,
    connections: server?.connectionCount ?? 0,
    handlerErrors,
    connectionErrors: Object.fromEntries(connectionErrors),
    unhandled,
  }),
  call: (call: VictimCall) => victimCalls[call.name](call),
});

function noteConnectionError(error: DrpcError): void {
  const text = `${codeName(error.code)}: ${error.rawMessage}`.replace(/\d+/g, "N").slice(0, 200);
  if (connectionErrors.size < maxConnectionErrors || connectionErrors.has(text)) {
    connectionErrors.set(text, (connectionErrors.get(text) ?? 0) + 1);
  }
}
