// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Code, DrpcError, PushStream } from "@ts-drpc/core";
import type { ContractPair } from "./contract-pair.js";
import { collect, newKey, PairInUse } from "./pair-in-use.js";
import { promise } from "./promise.js";

type CreatePair = () => Promise<ContractPair>;

// Long enough that no test waits for its end.
const amply = { drainMs: 60_000 };

/** The promises about the end of a transport. */
export function transportCloseContract(createPair: CreatePair): void {
  promise("a transport that is closed takes no more calls and lets those under way end", async (t) => {
    const use = await usePair(t, createPair);
    const requests = new PushStream<{ sentence: string }>();
    const replies = use.echo.chat(requests)[Symbol.asyncIterator]();
    await requests.send({ sentence: "before" });
    assert.equal((await replies.next()).value?.sentence, "before");

    const closed = use.pair.transport.close();
    await assert.rejects(use.echo.say({}), (error: DrpcError) => {
      assert.match(error.message, /the transport was closed/);
      return error.notStarted;
    });
    await requests.send({ sentence: "after" });
    assert.equal((await replies.next()).value?.sentence, "after");
    requests.close();
    assert.equal((await replies.next()).done, true);
    await closed;
  });

  promise("a transport that was never used can be closed", async (t) => {
    const use = await usePair(t, createPair);
    await use.pair.transport.close();
    await assert.rejects(use.echo.say({}), /the transport was closed/);
  });

  promise("nothing is left open afterwards", async () => {
    const before = openResources();
    const use = new PairInUse(await createPair());
    await use.echo.say({});
    const key = newKey();
    await assert.rejects(use.echo.say({}, { ...use.doing("hang", key), timeoutMs: 10 }));
    for await (const _ of use.echo.repeat({ times: 1_000 })) {
      break;
    }
    await use.dispose();
    // The operating system takes a few turns to close what was given back.
    const givenUpAt = performance.now() + 10_000;
    while (moreThan(before, openResources()).length > 0 && performance.now() < givenUpAt) {
      await new Promise(setImmediate);
    }
    assert.deepEqual(moreThan(before, openResources()), []);
  });
}

/** The promises about the end of a server. */
export function serverCloseContract(createPair: CreatePair): void {
  promise("a server that is closed refuses further calls, and waits for those under way", async (t) => {
    const use = await usePair(t, createPair);
    const requests = new PushStream<{ sentence: string }>();
    const replies = use.echo.chat(requests)[Symbol.asyncIterator]();
    await requests.send({ sentence: "before" });
    assert.equal((await replies.next()).value?.sentence, "before");

    const closed = use.server.close(amply);
    const refused = await untilRefused(use);
    assert.equal(refused.code, Code.Unavailable);
    assert.match(refused.message, /shutting down/);

    await requests.send({ sentence: "after" });
    assert.equal((await replies.next()).value?.sentence, "after");
    requests.close();
    assert.equal((await replies.next()).done, true);
    assert.deepEqual(await closed, { connections: 1, drained: 1, aborted: 0 });
    assert.equal(await use.server.connectionCount(), 0);
  });

  promise("a server that is closed aborts what takes too long, and tells caller and handler", async (t) => {
    const use = await usePair(t, createPair);
    // Once the two sides know each other, all calls share one connection.
    await use.echo.say({});
    const [key, other] = [newKey(), newKey()];
    const error = { code: Code.Unavailable, message: /shut down/ };
    const calls = [
      assert.rejects(use.echo.say({}, use.doing("hang", key)), error),
      assert.rejects(collect(use.echo.repeat({}, use.doing("hang", other))), error),
    ];
    await use.read(`${key} started`);
    await use.read(`${other} started`);
    const report = await use.server.close({ drainMs: 1 });
    await Promise.all(calls);
    assert.deepEqual(report, { connections: 1, drained: 0, aborted: 2 });
    assert.equal(await use.server.connectionCount(), 0);
  });

  promise("a server that is closed while a call uploads tells the caller why the call ended", async (t) => {
    const use = await usePair(t, createPair);
    await use.echo.say({});
    const key = newKey();
    async function* upload(): AsyncGenerator<{ attachment: Uint8Array }> {
      for (const attachment = new Uint8Array(65_536); ; ) {
        yield { attachment };
      }
    }
    const uploaded = assert.rejects(use.echo.join(upload(), use.doing("hang", key)), { message: /shut down/ });
    await use.read(`${key} started`);
    await use.server.close({ drainMs: 1 });
    await uploaded;
  });

  promise("once the server is gone, calls fail with Unavailable, and the error names it", async (t) => {
    const use = await usePair(t, createPair);
    await use.echo.say({});
    await use.server.close(amply);
    for (let call = 0; call < 3; call++) {
      await assert.rejects(use.echo.say({}), (error: DrpcError) => {
        assert.equal(error.code, Code.Unavailable);
        assert.ok(error.message.includes(use.pair.address), `${error.message} names ${use.pair.address}`);
        return true;
      });
    }
  });
}

/** The promise about a server that comes back. */
export function reconnectContract(createPair: CreatePair): void {
  promise("a transport works again once the server is back at its address", async (t) => {
    const use = await usePair(t, createPair);
    for (let round = 0; round < 2; round++) {
      assert.equal((await use.echo.say({ sentence: "here" })).sentence, "here");
      await use.server.close(amply);
      await assert.rejects(use.echo.say({}), { code: Code.Unavailable });
      await use.server.reopen?.();
    }
    assert.equal((await use.echo.say({ sentence: "here again" })).sentence, "here again");
  });
}

async function usePair(t: TestContext, createPair: CreatePair): Promise<PairInUse> {
  const use = new PairInUse(await createPair());
  t.after(() => use.dispose());
  return use;
}

/** Resolves with the error of the first call that fails. */
async function untilRefused({ echo }: PairInUse): Promise<DrpcError> {
  for (;;) {
    try {
      await echo.say({});
    } catch (reason) {
      return DrpcError.from(reason);
    }
  }
}

/** What keeps the process alive, now that a test runs. */
function openResources(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name !== "Immediate");
}

/** Returns what is there now and was not before. */
function moreThan(before: readonly string[], now: readonly string[]): string[] {
  const left = [...before];
  return now.filter((name) => {
    const at = left.indexOf(name);
    return at < 0 || left.splice(at, 1).length === 0;
  });
}
