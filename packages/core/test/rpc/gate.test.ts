// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, checkServeOptions, createContextKey, DrpcError, type Gate } from "@ts-drpc/core";
import { each, echoPair } from "./harness.js";

const refuse: Gate = ({ metadata, method }) => {
  if (metadata.get("token") !== "right") {
    throw new DrpcError(`${method.name} needs a token`, Code.Unauthenticated);
  }
};

test("a gate refuses calls of all kinds with its own error, before a handler runs", async () => {
  await using pair = echoPair(undefined, { server: { gate: refuse } });
  await assert.rejects(pair.client.say({ sentence: "x" }), {
    code: Code.Unauthenticated,
    rawMessage: "Say needs a token",
    notStarted: false,
  });
  await assert.rejects(pair.client.join(each("x")), { code: Code.Unauthenticated });
  await assert.rejects(async () => {
    for await (const _ of pair.client.repeat({ sentence: "x" })) {
      // It never gets here.
    }
  }, /Repeat needs a token/);
  const { sentence } = await pair.client.say({ sentence: "x" }, { metadata: { token: "right" } });
  assert.equal(sentence, "x");
  assert.equal(pair.served.length, 1, "the connection lives");
});

test("what a gate leaves in contextValues is there for the handler and the interceptors", async () => {
  const user = createContextKey("nobody");
  const seen: string[] = [];
  await using pair = echoPair(
    { say: (_, { contextValues }) => ({ sentence: contextValues.get(user) }) },
    {
      server: {
        gate: ({ contextValues }) => void contextValues.set(user, "ada"),
        interceptors: [
          (next) => (request) => {
            seen.push(request.contextValues.get(user));
            return next(request);
          },
        ],
      },
    },
  );
  assert.equal((await pair.client.say({})).sentence, "ada");
  assert.deepEqual(seen, ["ada"]);
});

test("a gate that throws something else, is async, or returns anything lets nobody through, and onError is told", async () => {
  const bug = new Error("a bug, with a secret");
  for (const gate of [
    () => {
      throw bug;
    },
    () => Promise.reject(bug),
    // Not every promise is of this realm, and some are none at all.
    () => ({ then: (_: unknown, rejected: (reason: Error) => void) => rejected(bug) }),
    () => false,
  ]) {
    await using pair = echoPair(undefined, { server: { gate: gate as Gate } });
    await assert.rejects(pair.client.say({}), {
      code: Code.Internal,
      rawMessage: "/echo.v1.EchoService/Say: the gate failed",
    });
    assert.equal(pair.errors.length, 1);
  }
});

test("no byte of a message of a refused call is kept", async () => {
  await using pair = echoPair(undefined, {
    server: { gate: refuse, maxMessageBytes: 3_000_000, maxBufferedBytes: 8_000_000 },
  });
  const attachment = new Uint8Array(2_900_000);
  const calls = Array.from({ length: 50 }, () =>
    assert.rejects(pair.client.say({ attachment }), { code: Code.Unauthenticated }),
  );
  await Promise.all(calls);
  assert.equal((await pair.client.say({ sentence: "x" }, { metadata: { token: "right" } })).sentence, "x");
});

test("a gate that is no function is refused when the server is made", () => {
  assert.throws(() => checkServeOptions({ gate: "no" as unknown as Gate }), {
    name: "TypeError",
    message: 'gate must be a function, got "no"',
  });
});
