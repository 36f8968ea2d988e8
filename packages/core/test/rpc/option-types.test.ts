// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type CallHandler,
  type CallOptions,
  createClient,
  createRouter,
  createSessionTransport,
  DrpcError,
  type ServeOptions,
  type SessionTransportOptions,
  serveConnection,
} from "@ts-drpc/core";
import { createConnectionPair, createFaultyConnection, createRouterTransport } from "@ts-drpc/core/testing";
import { createEchoServiceClient, EchoHandler, EchoService, registerEchoService } from "@ts-drpc-internal/fixtures";

/** Values of every type, of which each option takes some at most. */
const values = {
  null: null,
  number: 5,
  fraction: 1.5,
  negative: -1,
  NaN: Number.NaN,
  bigint: 5n,
  text: "x",
  boolean: true,
  object: {},
  array: [],
  function: () => undefined,
  symbol: Symbol("x"),
};
type ValueName = keyof typeof values;

/** Each option, and what it takes of these. A null stands for nothing where the default is a number or a text. */
const sessionOptions: Readonly<Record<string, readonly ValueName[]>> = {
  maxMessageBytes: ["null", "number"],
  maxSendMessageBytes: ["null", "number"],
  maxMetadataBytes: ["null", "number"],
  maxMetadataKeys: ["null", "number"],
  maxConcurrentStreams: ["null", "number"],
  windowBytes: ["null", "number"],
  // Not less than a message and a window.
  maxBufferedBytes: ["null"],
  maxUnsentBytes: ["null", "number"],
  invokeTimeoutMs: ["null", "number"],
  messageTimeoutMs: ["null", "number"],
  keepaliveMs: ["null", "number"],
  keepaliveTimeoutMs: ["null", "number"],
  stallTimeoutMs: ["null", "number"],
  maxResetsPerSecond: ["null", "number"],
  idleTimeoutMs: ["null", "number"],
  flowControl: [],
  interceptors: ["array"],
};
const transportOptions: Readonly<Record<string, readonly ValueName[]>> = {
  ...sessionOptions,
  peer: ["null"],
  loadBalancing: ["null"],
  maxConnections: ["null", "number"],
  migrateHeader: ["null", "boolean"],
  reconnect: ["null", "boolean"],
  initialReconnectMs: ["null", "number"],
  maxReconnectMs: ["null", "number"],
  defaultTimeoutMs: ["number"],
  compression: [],
  retry: ["object"],
  onStateChange: ["function"],
};
const serveOptions: Readonly<Record<string, readonly ValueName[]>> = {
  ...sessionOptions,
  gate: ["function"],
  onError: ["function"],
  errorFormat: ["null"],
  compressions: ["null", "array"],
};
const callOptions: Readonly<Record<string, readonly ValueName[]>> = {
  signal: [],
  // What has passed already is a time too.
  timeoutMs: ["number", "fraction", "negative"],
  waitForReady: ["boolean"],
  retry: ["object"],
  metadata: ["object", "array"],
  onHeader: ["function"],
  onTrailer: ["function"],
  contextValues: [],
};

const dial = async (): Promise<never> => {
  throw new Error("nobody dials");
};

refusesWrongTypes("createSessionTransport", transportOptions, async (options) => {
  await createSessionTransport(dial, options as SessionTransportOptions).close();
});

refusesWrongTypes("serveConnection", serveOptions, async (options) => {
  const { server, client } = createConnectionPair();
  const served = serveConnection(server, createRouter(), options as ServeOptions);
  client.abort();
  await served.closed;
});

for (const [what, interceptors] of [
  ["", []],
  [", with interceptors", [(next: CallHandler) => next]],
] as const) {
  const transport = createRouterTransport((router) => registerEchoService(router, new EchoHandler()), {
    client: { interceptors },
  });
  const client = createEchoServiceClient(transport);
  refusesWrongTypes(`a unary call${what}`, callOptions, async (options) => {
    await client.say({}, options as CallOptions);
  });
  refusesWrongTypes(`a streaming call${what}`, callOptions, async (options) => {
    for await (const _response of client.repeat({ times: 1 }, options as CallOptions)) {
      // It is the end that counts.
    }
  });
}

refusesWrongTypes(
  "retry",
  { maxAttempts: ["number"], codes: ["array"], initialBackoffMs: ["number"], maxBackoffMs: ["number"] },
  async (retry) => createSessionTransport(dial, { retry } as SessionTransportOptions).close(),
);

refusesWrongTypes("flowControl", { windowBytes: [], grantThresholdBytes: ["number"] }, async (flowControl) => {
  const whole = { windowBytes: 2_097_152, grantThresholdBytes: 524_288, ...flowControl };
  await createSessionTransport(dial, { peer: "multiplexed", flowControl: whole }).close();
});

refusesWrongTypes("the close of a transport", { drainMs: ["number"] }, (options) =>
  createSessionTransport(dial).close(options),
);

refusesWrongTypes("the close of a connection", { drainMs: ["number"] }, async (options) => {
  const { server } = createConnectionPair();
  await serveConnection(server, createRouter()).close(options as never);
});

refusesWrongTypes("createConnectionPair", { chunkBytes: ["number"], highWaterBytes: ["number"] }, async (options) => {
  createConnectionPair(options);
});

refusesWrongTypes(
  "createFaultyConnection",
  { sent: ["object"], received: ["object"], seed: ["null", "number", "negative"] },
  async (options) => {
    createFaultyConnection(createConnectionPair().client, options);
  },
);

describe("what is no option is looked at, too", () => {
  const { client, server } = createConnectionPair();
  const echo = createEchoServiceClient(createRouterTransport((router) => registerEchoService(router, {})));
  const cases: readonly [what: string, make: (value: never) => unknown, takes: readonly ValueName[]][] = [
    ["dial", (value) => createSessionTransport(value), ["function"]],
    ["options", (value) => createSessionTransport(dial, value), ["object"]],
    ["connection", (value) => serveConnection(value, createRouter()), []],
    ["router", (value) => serveConnection(server, value), ["array"]],
    ["options", (value) => serveConnection(server, createRouter(), value), ["object"]],
    ["transport", (value) => createClient(EchoService, value), []],
    ["service", (value) => createRouter().service(value, {}), []],
    ["handler of echo.v1.EchoService", (value) => createRouter().service(EchoService, value), ["object"]],
    ["faults", (value) => createFaultyConnection(client, value), ["object"]],
    ["options", (value) => createConnectionPair(value), ["object"]],
  ];
  for (const [what, make, takes] of cases) {
    test(`${what} of ${make}`, () => {
      for (const name of Object.keys(values) as ValueName[]) {
        if (!takes.includes(name)) {
          assert.throws(() => make(values[name] as never), new RegExp(`${what} must be .*, got `), name);
        }
      }
    });
  }

  test("the options of a call", async () => {
    for (const name of Object.keys(values) as ValueName[]) {
      if (name !== "object") {
        const refused = { name: "TypeError", message: /^options must be an object, got / };
        await assert.rejects(echo.say({}, values[name] as never), refused, name);
      }
    }
  });
});

/** Gives each option values of all types, and expects that those of wrong ones are refused, with its name and the value. */
function refusesWrongTypes(
  what: string,
  options: Readonly<Record<string, readonly ValueName[]>>,
  use: (options: object) => Promise<void>,
): void {
  describe(`${what} refuses each option of a wrong type, by its name, and with the value`, () => {
    for (const [option, takes] of Object.entries(options)) {
      test(option, async () => {
        for (const name of Object.keys(values) as ValueName[]) {
          const reason = await use({ [option]: values[name] }).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          if (takes.includes(name)) {
            // A call may then still pass its deadline.
            assert.ok(reason === undefined || reason instanceof DrpcError, `${name}: ${String(reason)}`);
          } else {
            assert.ok(reason instanceof TypeError || reason instanceof RangeError, `${name}: ${String(reason)}`);
            assert.match(reason.message, new RegExp(`${option}\\b.*(, got |takes .*got )`), name);
          }
        }
      });
    }
  });
}
