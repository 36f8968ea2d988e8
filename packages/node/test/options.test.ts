// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import {
  type ConnectionListenerOptions,
  createConnectionListener,
  createDuplexTransport,
  createNodeConnection,
  createNodeServer,
  createNodeTransport,
  type NodeServerOptions,
  type NodeTransportOptions,
  type SharePortOptions,
  sharePort,
} from "../src/index.js";
import { useServer } from "./harness.js";

type Refusal = readonly [options: object, name: "TypeError" | "RangeError", message: RegExp];

const sessionLimits: readonly Refusal[] = [
  "maxMessageBytes",
  "maxMetadataBytes",
  "maxMetadataKeys",
  "maxConcurrentStreams",
  "windowBytes",
  "maxBufferedBytes",
  "maxUnsentBytes",
  "invokeTimeoutMs",
].map((option) => [{ [option]: -1 }, "RangeError", new RegExp(`^${option} must be .* got -1$`)]);

const port = (value: unknown, shown: string): Refusal => [
  { port: value },
  "RangeError",
  new RegExp(`^port must be a whole number from \\d to 65535, got ${shown}$`),
];

describe("createNodeTransport refuses", () => {
  const refusals: readonly Refusal[] = [
    port(undefined, "undefined"),
    port(0, "0"),
    port(65_536, "65536"),
    port(80.5, "80.5"),
    port("8080", '"8080"'),
    [{ port: 1, host: "" }, "TypeError", /^host must be a name or an address, got ""$/],
    [{ port: 1, host: 127 }, "TypeError", /^host must be a name or an address, got 127$/],
    [{ path: "" }, "TypeError", /^path must be the path of a unix socket, got ""$/],
    [{ path: 5 }, "TypeError", /^path must be the path of a unix socket, got 5$/],
    [{ path: "/a", port: 1 }, "TypeError", /^port and path exclude each other.* got port 1 and path "\/a"$/],
    [{ addresses: [] }, "TypeError", /^addresses must be a list of at least one address, got an array$/],
    [{ addresses: "a:1" }, "TypeError", /^addresses must be a list of at least one address, got "a:1"$/],
    [{ addresses: ["a:1"] }, "TypeError", /^each of addresses must be an object, got "a:1"$/],
    [{ addresses: [{ port: 1 }, { port: 0 }] }, "RangeError", /^port must be .* got 0$/],
    [{ addresses: [{ port: 1 }], port: 2 }, "TypeError", /^addresses and port exclude each other: got port 2$/],
    [{ addresses: [{ port: 1 }], path: "/a" }, "TypeError", /^addresses and path exclude each other: got path "\/a"$/],
    [{ port: 1, loadBalancing: "all" }, "RangeError", /^loadBalancing must be .* got "all"$/],
    [{ port: 1, initialReconnectMs: 0 }, "RangeError", /^initialReconnectMs must be .* got 0$/],
    [{ port: 1, retry: { maxAttempts: 0 } }, "RangeError", /^retry.maxAttempts must be .* got 0$/],
    [{ port: 1, onStateChange: 1 }, "TypeError", /^onStateChange must be a function, got 1$/],
    [{ port: 1, tls: true }, "TypeError", /^tls must be an object, got true$/],
    [{ port: 1, connectTimeoutMs: 0 }, "RangeError", /^connectTimeoutMs must be .* from 1 to 2147483647, got 0$/],
    [{ port: 1, connectTimeoutMs: 2 ** 31 }, "RangeError", /^connectTimeoutMs must be .* got 2147483648$/],
    [{ port: 1, connectTimeoutMs: "5s" }, "RangeError", /^connectTimeoutMs must be .* got "5s"$/],
    [{ port: 1, peer: "go" }, "RangeError", /^peer must be .* got "go"$/],
    [{ port: 1, compression: "snappy" }, "TypeError", /^compression must be a compression named snappy or/],
    [{ port: 1, maxConnections: 0 }, "RangeError", /^maxConnections must be .* got 0$/],
    [{ port: 1, defaultTimeoutMs: Number.NaN }, "RangeError", /^defaultTimeoutMs must be .* got NaN$/],
    ...sessionLimits.map(([options, ...rest]): Refusal => [{ port: 1, ...options }, ...rest]),
  ];
  refuses(refusals, (options) => createNodeTransport(options as NodeTransportOptions));

  test("options that are none", () => {
    assert.throws(() => createNodeTransport(undefined as never), {
      name: "TypeError",
      message: "options must be an object, got undefined",
    });
  });
});

describe("createDuplexTransport refuses", () => {
  refuses([...sessionLimits, [{ address: 5 }, "TypeError", /^address must be a text, got 5$/]], (options) =>
    createDuplexTransport(new PassThrough(), options),
  );

  test("what are no streams", () => {
    const pair = { readable: new PassThrough(), writable: {} };
    for (const duplex of [undefined, null, 5, "x", {}, [], pair] as never[]) {
      const refused = { name: "TypeError", message: /^duplex must be a Duplex, or { readable, writable }, got / };
      assert.throws(() => createDuplexTransport(duplex), refused);
      assert.throws(() => createNodeConnection(duplex), refused);
    }
  });
});

describe("createNodeServer and createConnectionListener refuse", () => {
  const routes = (): void => undefined;
  const refusals: readonly Refusal[] = [
    [{}, "TypeError", /^routes must be a function, got undefined$/],
    [{ routes: {} }, "TypeError", /^routes must be a function, got \[object Object\]$/],
    [{ routes, maxConnections: 0 }, "RangeError", /^maxConnections must be a whole number above zero, got 0$/],
    [{ routes, maxConnections: 1.5 }, "RangeError", /^maxConnections must be .* got 1\.5$/],
    [{ routes, onConnectionError: "log" }, "TypeError", /^onConnectionError must be a function, got "log"$/],
    [{ routes, compressions: ["snappy"] }, "TypeError", /^compressions\[0\] must be a compression named snappy or/],
    [{ routes, errorFormat: "json" }, "RangeError", /^errorFormat must be "drpc" or "grpc-status", got "json"$/],
    [{ routes, onError: 1 }, "TypeError", /^onError must be a function, got 1$/],
    [{ routes, gate: {} }, "TypeError", /^gate must be a function, got an object$/],
    [{ routes, interceptors: {} }, "TypeError", /^interceptors must be an array of functions, got an object$/],
    ...sessionLimits.map(([options, ...rest]): Refusal => [{ routes, ...options }, ...rest]),
  ];
  refuses(refusals, (options) => {
    assert.throws(() => createConnectionListener(options as ConnectionListenerOptions));
    return createNodeServer(options as NodeServerOptions);
  });
  refuses([[{ routes, handshakeTimeoutMs: 0 }, "RangeError", /^handshakeTimeoutMs must be .* got 0$/]], (options) =>
    createNodeServer(options as NodeServerOptions),
  );
});

describe("a server's listen refuses", () => {
  const refusals: readonly Refusal[] = [
    port(undefined, "undefined"),
    port(-1, "-1"),
    port(65_536, "65536"),
    port("0", '"0"'),
    [{ port: 0, host: "" }, "TypeError", /^host must be a name or an address, got ""$/],
    [{ path: "" }, "TypeError", /^path must be the path of a unix socket, got ""$/],
    [{ path: "/a", port: 0 }, "TypeError", /^port and path exclude each other/],
    [{ port: 0, tls: "yes" }, "TypeError", /^tls must be an object, got "yes"$/],
    [{ port: 0, tls: { key: "no key", cert: "no certificate" } }, "TypeError", /^tls was not understood: .+/],
  ];
  for (const [options, name, message] of refusals) {
    test(show(options), async (t) => {
      const { server } = useServer(t);
      await assert.rejects(server.listen(options as { path: string }), { name, message });
      assert.ok((await server.listen({ host: "127.0.0.1", port: 0 })).port > 0, "the server can still listen");
    });
  }
});

test("a wrong drainMs is refused, and leaves the server as it was", async (t) => {
  const { server } = useServer(t);
  for (const drainMs of [-1, 0.5, Number.POSITIVE_INFINITY]) {
    const message = `drainMs must be a whole number of milliseconds from 0 to 2147483647, got ${drainMs}`;
    await assert.rejects(server.close({ drainMs }), { name: "RangeError", message });
  }
  assert.ok((await server.listen({ host: "127.0.0.1", port: 0 })).port > 0);
});

describe("sharePort refuses", () => {
  const drpc = (): void => undefined;
  const refusals: readonly Refusal[] = [
    [{}, "TypeError", /^drpc must be a server or a function that takes connections, got undefined$/],
    ...["http1", "http2", "other"].map(
      (name): Refusal => [{ drpc, [name]: "x" }, "TypeError", new RegExp(`^${name} must be .*, got x$`)],
    ),
    [{ drpc, tls: [] }, "TypeError", /^tls must be an object, got an array$/],
    [{ drpc, handshakeTimeoutMs: 0 }, "RangeError", /^handshakeTimeoutMs must be .*, got 0$/],
    [{ drpc, onConnectionError: {} }, "TypeError", /^onConnectionError must be a function, got/],
  ];
  refuses(refusals, (options) => sharePort(options as SharePortOptions));
});

function refuses(refusals: readonly Refusal[], create: (options: object) => unknown): void {
  for (const [options, name, message] of refusals) {
    test(show(options), () => {
      assert.throws(() => create(options), { name, message });
    });
  }
}

function show(options: object): string {
  const shown = Object.entries(options).map(([name, value]) => `${name}: ${JSON.stringify(value) ?? String(value)}`);
  return `{ ${shown.join(", ")} }`;
}
