// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import { PassThrough } from "node:stream";
import { describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Transport } from "@ts-drpc/core";
import { Code } from "@ts-drpc/core";
import { createEchoServiceClient, type EchoServiceClient } from "@ts-drpc-internal/fixtures";
import { createDuplexTransport } from "../src/index.js";
import { stdioOf } from "./child-process-pair.js";
import { closedPort, useServer } from "./harness.js";

const timeout = 20_000;
const address = "the echo process";

describe("a transport over the pipes of a child process", { timeout }, () => {
  test("lets the process end by itself when it is closed", async (t) => {
    const { child, transport, echo } = useChild(t);
    assert.equal((await echo.say({ sentence: "hello in there" })).sentence, "hello in there");
    const exited = once(child, "exit");
    await transport.close();
    assert.deepEqual(await exited, [0, null]);
  });

  test("lets the process end even if it was never called", async (t) => {
    const { child, transport } = useChild(t);
    const exited = once(child, "exit");
    await transport.close();
    assert.deepEqual(await exited, [0, null]);
  });

  test("fails the calls when the process is killed, and all after them", async (t) => {
    const { child, echo } = useChild(t);
    await echo.say({});
    const options = { metadata: { do: "hang", key: "x" } };
    const calls = [echo.say({}, options), echo.join(forever(), options)];
    const lost = calls.map((call) =>
      assert.rejects(call, { code: Code.Unavailable, message: /the connection to the echo process was/ }),
    );
    child.kill("SIGKILL");
    await Promise.all(lost);
    await assert.rejects(echo.say({}), {
      code: Code.Unavailable,
      notStarted: true,
      rawMessage: `/echo.v1.EchoService/Say: the connection to ${address} has ended, and this transport can make no other`,
    });
  });

  test("fails the calls if there never was such a program", async (t) => {
    const program = fileURLToPath(new URL("./no-such-program", import.meta.url));
    const child = spawn(program, { stdio: "pipe" });
    const failed = once(child, "error");
    const transport = createDuplexTransport(stdioOf(child), { address });
    t.after(() => transport.close());
    await assert.rejects(createEchoServiceClient(transport).say({}), {
      code: Code.Unavailable,
      message: /the echo process/,
    });
    await failed;
  });
});

describe("a transport over a Duplex", { timeout }, () => {
  test("fails the calls if the Duplex broke before the first one, and not the process", async (t) => {
    const socket = net.connect({ host: "127.0.0.1", port: await closedPort() });
    const transport = createDuplexTransport(socket, { address: "nobody" });
    t.after(() => transport.close());
    await new Promise((resolve) => socket.once("close", resolve));
    const message = /the connection to nobody was lost: connection refused, nothing listens there/;
    await assert.rejects(createEchoServiceClient(transport).say({}), { code: Code.Unavailable, message });
  });

  test("ends the Duplex when it is closed, called or not", async () => {
    const duplex = new PassThrough();
    await createDuplexTransport(duplex).close();
    await once(duplex, "close");
  });

  test("names a socket by its address", async (t) => {
    const { server } = useServer(t);
    const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
    const socket = net.connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    const echo = createEchoServiceClient(createDuplexTransport(socket));
    await echo.say({});
    await server.close();
    await assert.rejects(echo.say({}), { message: new RegExp(`the connection to 127\\.0\\.0\\.1:${port} `) });
  });
});

function useChild(t: TestContext): { child: ChildProcess; transport: Transport; echo: EchoServiceClient } {
  const script = fileURLToPath(new URL("./stdio-server.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script], { stdio: ["pipe", "pipe", "inherit"] });
  const transport = createDuplexTransport(stdioOf(child), { address });
  t.after(async () => {
    child.kill("SIGKILL");
    await transport.close();
  });
  return { child, transport, echo: createEchoServiceClient(transport) };
}

async function* forever(): AsyncGenerator<object> {
  for (;;) {
    yield { attachment: new Uint8Array(16_384) };
  }
}
