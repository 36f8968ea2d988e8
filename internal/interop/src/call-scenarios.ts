// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Code } from "@ts-drpc/core";
import { createNodeTransport } from "@ts-drpc/node";
import { gopeerMessages } from "@ts-drpc-internal/fixtures";
import type { GoResult } from "./go-program.js";
import { collect, failure, pattern, texts, until } from "./harness.js";
import type { Scenario } from "./scenario.js";

const MiB = 1024 * 1024;

/** Calls that get their answers, or an error from their handler. */
export const callScenarios: readonly Scenario[] = [
  {
    name: "all four kinds",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      assert.deepEqual(shown(await echo.unary({ text: "hi", n: 41n })), ["hi", 42n]);
      assert.equal((await echo.clientStream(texts("a", "b", "c"))).text, "a,b,c");
      assert.deepEqual((await collect(echo.serverStream({ text: "x", n: 3n }))).map(shown), [
        ["x-1", 1n],
        ["x-2", 2n],
        ["x-3", 3n],
      ]);
      assert.deepEqual((await collect(echo.bidi(texts("a", "b")))).map(shown), [
        ["echo:a", 1n],
        ["echo:b", 2n],
      ]);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      const unary = await client.unary("Unary", { text: "hi", n: 41 });
      assert.deepEqual([unary.text, unary.n], ["hi", "42"]);
      assert.equal(succeeded(await client.stream("ClientStream", { sends: 3, text: "a" })).text, "a,a,a");
      assert.equal(succeeded(await client.stream("ServerStream", { sends: 1, text: "x", n: 3 })).text, "x-3");
      const bidi = succeeded(await client.stream("Bidi", { sends: 2, text: "a", n: 1 }));
      assert.deepEqual([bidi.received, bidi.text], [2, "echo:a"]);
    },
  },
  {
    name: "no messages at all",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      assert.equal((await echo.clientStream(texts())).n, 0n);
      assert.deepEqual(await collect(echo.serverStream({ n: 0n })), []);
      assert.deepEqual(await collect(echo.bidi(texts())), []);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      assert.equal(succeeded(await client.stream("ClientStream")).n, "0");
      assert.equal(succeeded(await client.stream("ServerStream", { sends: 1 })).received, 0);
      assert.equal(succeeded(await client.stream("Bidi")).received, 0);
    },
  },
  {
    name: "empty messages",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      assert.deepEqual(shown(await echo.identity({})), ["", 0n]);
      assert.equal((await echo.clientStream(texts("", "", ""))).n, 3n);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      const { received, size, n } = succeeded(await client.unary("Identity"));
      assert.deepEqual([received, size, n], [1, 0, "0"]);
      assert.equal(succeeded(await client.stream("ClientStream", { sends: 3 })).n, "3");
    },
  },
  {
    name: "messages around 64 KiB, of 1 MiB, and of nearly 4 MiB",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      for (const size of sizes) {
        const { data } = await echo.identity({ data: pattern(size) });
        assert.ok(Buffer.from(data).equals(pattern(size)), `${size} bytes`);
      }
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      for (const size of sizes) {
        const result = succeeded(await client.unary("Identity", { size }));
        assert.deepEqual([result.size, result.intact], [size, true]);
      }
    },
  },
  {
    name: "metadata: any text, an empty value, 70 kB",
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server, { maxMetadataBytes: 128 * 1024, peer: "sequential" });
      const { text, n } = await echo.metadata({}, { metadata });
      assert.deepEqual([text, n], [metadataShown, 3n]);
      const auto = harness.client(server, { maxMetadataBytes: 128 * 1024 });
      assert.equal((await auto.metadata({}, { metadata })).n, 4n, "a Go handler sees the announcement");
      assert.equal((await auto.metadata({}, { metadata })).n, 3n, "and only in the first call");
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server({ maxMetadataBytes: 128 * 1024 }));
      const { text, n } = succeeded(await client.unary("Metadata", { metadata }));
      assert.deepEqual([text, n], [metadataShown, "3"]);
    },
  },
  {
    name: "130 calls one after the other on one connection",
    async calling(harness) {
      const server = await harness.goServer();
      const echo = harness.client(server);
      for (let n = 0n; n < 130n; n++) {
        assert.equal((await echo.unary({ n })).n, n + 1n);
      }
      assert.equal(await server.connections(), 1);
    },
    async serving(harness) {
      const { server, port } = await harness.server();
      const client = harness.goClient({ port });
      for (let n = 0; n < 130; n++) {
        assert.equal(succeeded(await client.unary("Unary", { n })).n, String(n + 1));
      }
      assert.equal(server.connectionCount, 1);
    },
  },
  {
    name: "error with a code",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      const error = await failure(echo.fail({ n: 5n, text: "no such thing" }));
      assert.deepEqual([error.code, error.rawMessage], [Code.NotFound, "no such thing"]);
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      assertFailed(await client.unary("Fail", { n: 5, text: "no such thing" }), "5", "no such thing");
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
    },
  },
  {
    name: "error without a code",
    async calling(harness) {
      const error = await failure(harness.client(await harness.goServer()).fail({ text: "plain" }));
      assert.deepEqual([error.code, error.rawMessage], [Code.Unknown, "plain"]);
      assert.equal(error.wireCode, harness.statusErrors ? 2n : 0n);
      return `\`Unknown\`, \`wireCode\` ${error.wireCode}`;
    },
    async serving(harness) {
      const result = await harness.goClient(await harness.server()).unary("Fail", { text: "plain" });
      assertFailed(result, harness.statusErrors ? "2" : "0", "plain");
      return `code ${result.code}`;
    },
  },
  {
    name: "error with the largest code",
    async calling(harness) {
      // Go's gRPC codes have 32 bits.
      const code = harness.statusErrors ? 2n ** 32n - 1n : 2n ** 64n - 1n;
      const error = await failure(harness.client(await harness.goServer()).fail({ n: BigInt.asIntN(64, code) }));
      assert.equal(error.wireCode, code);
      assert.equal(error.code, harness.statusErrors ? Number(code) : Code.Unknown);
      return `\`wireCode\` ${error.wireCode}`;
    },
    async serving(harness) {
      const result = await harness.goClient(await harness.server()).unary("Fail", { n: -1 });
      assertFailed(result, harness.statusErrors ? "2" : String(2n ** 64n - 1n), "");
      return `code ${result.code}`;
    },
  },
  {
    name: "error with a text that is long, or none",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      const text = "ü✓\n".repeat(5_000);
      assert.equal((await failure(echo.fail({ n: 3n, text }))).rawMessage, text);
      assert.equal((await failure(echo.fail({ n: 3n }))).rawMessage, "");
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      const text = "ü✓\n".repeat(5_000);
      assertFailed(await client.unary("Fail", { n: 3, text }), "3", text);
      assertFailed(await client.unary("Fail", { n: 3 }), "3", "");
      // Ours is cut, as Go does not split an error, and 64 KiB is what any peer takes.
      const cut = await client.unary("Fail", { n: 3, text: "x".repeat(100_000) });
      assert.equal(cut.code, "3");
      assert.ok(cut.error.length > 65_000 && cut.error.length < 65_536);
    },
  },
  {
    name: "error from a server that has the other `errorFormat`",
    async serving(harness) {
      const errorFormat = harness.statusErrors ? "drpc" : "grpc-status";
      const result = await harness
        .goClient(await harness.server({ errorFormat }))
        .unary("Fail", { n: 5, text: "no such thing" });
      assert.equal(result.failed, true);
      assert.notEqual(result.code, "5");
      return harness.statusErrors ? `code ${result.code}, \`${result.error}\`` : "a wrong code and text";
    },
  },
  {
    name: "error in the middle of a stream",
    async calling(harness) {
      const echo = harness.client(await harness.goServer());
      const came: bigint[] = [];
      const error = await failure(
        (async () => {
          for await (const { n } of echo.failStream({ n: 3n })) {
            came.push(n);
          }
        })(),
      );
      assert.deepEqual([came, error.code, error.rawMessage], [[1n, 2n, 3n], 7, "boom"]);
      assert.equal((await echo.unary({ n: 1n })).n, 2n);
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      const result = await client.stream("FailStream", { sends: 1, n: 3 });
      assertFailed(result, "7", "boom");
      assert.equal(result.received, 3);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
    },
  },
  {
    name: "unknown method",
    async calling(harness) {
      const server = await harness.goServer();
      await using transport = createNodeTransport({ host: "127.0.0.1", port: server.port });
      const error = await failure(transport.unary({ ...unaryMethod, name: "Nothing" }, {}));
      assert.deepEqual([error.code, error.notStarted], [Code.Unimplemented, true]);
      assert.equal(error.rawMessage, 'protocol error: unknown rpc: "/gopeer.v1.Echo/Nothing"');
      await transport.unary(unaryMethod, {});
      assert.equal(await server.connections(), 1);
      return `\`Unimplemented\`, \`wireCode\` ${error.wireCode}`;
    },
    async serving(harness) {
      const client = harness.goClient(await harness.server());
      const result = await client.unary("Nothing");
      assertFailed(result, harness.statusErrors ? "2" : "0", 'protocol error: unknown rpc: "/gopeer.v1.Echo/Nothing"');
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      return `code ${result.code}, \`protocol error: unknown rpc: …\``;
    },
  },
  {
    name: "a message above the limit of its sender, or its receiver",
    async calling(harness) {
      const server = await harness.goServer();
      const strict = harness.client(server, { maxMessageBytes: 100_000 });
      const kept = await failure(strict.identity({ data: pattern(100_000) }));
      assert.equal(kept.code, Code.ResourceExhausted);
      assert.match(kept.rawMessage, /not sent, the limit maxMessageBytes is 100000/);
      // The answer to this one is larger than the request.
      const refused = await failure(collect(strict.serverStream({ n: 1n, text: "x".repeat(99_994) })));
      assert.equal(refused.code, Code.ResourceExhausted);
      assert.equal((await strict.unary({ n: 1n })).n, 2n);
      assert.equal(await server.connections(), 1);

      const free = harness.client(server, { maxMessageBytes: 8 * MiB });
      if (harness.multiplexed) {
        assert.equal((await free.identity({ data: pattern(4 * MiB) })).data.length, 4 * MiB);
        return "ours `ResourceExhausted`; a Go server has none without flow control";
      }
      const dropped = await failure(free.identity({ data: pattern(4 * MiB) }));
      assert.equal(dropped.code, Code.Unavailable);
      await until("the Go server logs it", () => /data overflow/.test(server.program.log));
      server.program.takeLog();
      assert.equal((await free.unary({ n: 1n })).n, 2n);
      return "ours `ResourceExhausted`; a Go server ends the connection, `Unavailable`";
    },
    async serving(harness) {
      const { port, server } = await harness.server();
      const client = harness.goClient({ port }, "-max-message", String(100_000));
      const result = await client.unary("Identity", { size: 4 * MiB });
      assert.equal(result.code, "8");
      assert.match(result.error, /the limit maxMessageBytes is 4194304/);
      assert.equal(succeeded(await client.unary("Unary", { n: 1 })).n, "2");
      assert.equal(server.connectionCount, 1);
      if (harness.multiplexed) {
        return "ours answers `ResourceExhausted`, 8, and keeps the connection; a Go client has none without flow control";
      }
      const overflow = await client.unary("Identity", { conn: "second", size: 100_000 });
      assert.match(overflow.error, /data overflow/);
      return "ours answers `ResourceExhausted`, 8, and keeps the connection; a Go client ends it";
    },
  },
];

const sizes = [0, 1, 65_535, 65_536, 65_537, MiB, 4 * MiB - 64];

const metadata = { "ключ-√": "wörter, 言葉", nothing: "", large: "v".repeat(70_000) };
const metadataShown = `large=${metadata.large};nothing=;ключ-√=wörter, 言葉;`;

const unaryMethod = gopeerMessages.Echo.method.unary;

function shown({ text, n }: { readonly text: string; readonly n: bigint }): readonly [string, bigint] {
  return [text, n];
}

/** Asserts that a Go client's call succeeded, and returns what came of it. */
export function succeeded(result: GoResult): GoResult {
  assert.deepEqual([result.failed, result.error, result.sendError, result.intact], [false, "", "", true]);
  return result;
}

/** Asserts that a Go client's call failed with a code and a text. */
export function assertFailed(result: GoResult, code: string, text: string): void {
  assert.deepEqual([result.failed, result.code, result.error], [true, code, text]);
}
