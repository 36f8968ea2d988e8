// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { newKey, type PairInUse } from "./pair-in-use.js";
import { promise } from "./promise.js";

// No compression makes it smaller, as a limit counts what is on the wire.
const incompressible = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, index) => Math.imul(index, index * 7_919 + 1) >>> 11);
const attachment = incompressible(16_384);

// A window, what waits to be sent, and what the operating system holds, with room to spare; and far less than is offered.
const mostUnread = (8 * 1024 * 1024) / attachment.length;
const offered = 100_000;

/** The promises about sides that are slower than the other. */
export function backpressureContract(shared: { readonly current: PairInUse }): void {
  promise("a slow reader makes the handler wait, while other calls go on", async () => {
    const use = shared.current;
    const key = newKey();
    const request = { sentence: "", times: offered, attachment };
    const replies = use.echo.repeat(request, use.doing("count", key))[Symbol.asyncIterator]();
    await replies.next();
    const stopped = await standstill(use, () => use.count(key));
    assert.ok(stopped <= mostUnread, `${stopped} messages were sent to a reader that took one`);

    for (let read = 0; read < stopped; read++) {
      assert.equal((await replies.next()).done, false);
    }
    const further = await standstill(use, () => use.count(key));
    assert.ok(further > stopped, "the handler goes on when the reader does");
    assert.ok(further <= stopped + mostUnread);

    await replies.return?.();
    await use.read(`${key} left`);
  });

  promise("large messages reach whoever reads them, however many others nobody reads yet", async () => {
    const use = shared.current;
    const request = { sentence: "", times: 4, attachment: incompressible(3 * 1024 * 1024) };
    const downloads = Array.from({ length: 4 }, () => use.echo.repeat(request)[Symbol.asyncIterator]());
    // Each has begun, and so has what lies unread on it.
    for (const replies of downloads) {
      assert.equal((await replies.next()).done, false);
    }
    for (const replies of downloads) {
      for (let read = 1; read < request.times; read++) {
        const { value } = await replies.next();
        assert.equal(value?.attachment.length, request.attachment.length);
      }
      assert.equal((await replies.next()).done, true);
    }
  });

  promise("a slow handler makes the source of the requests wait, while other calls go on", async () => {
    const use = shared.current;
    const key = newKey();
    let taken = 0;
    async function* requests(): AsyncGenerator<{ sentence: string; attachment: Uint8Array }> {
      for (; taken < 2 * mostUnread; taken++) {
        yield { sentence: "a", attachment };
      }
    }
    const joined = use.echo.join(requests(), use.doing("wait", key));
    const stopped = await standstill(use, async () => taken);
    assert.ok(stopped > 0 && stopped <= mostUnread, `${stopped} messages were taken for a handler that reads none`);

    await use.note(`${key} opened`);
    assert.equal((await joined).sentence, String(2 * taken - 1));
    assert.equal(taken, 2 * mostUnread);
  });
}

/** Resolves with a number once it has not changed during 20 calls of others. */
async function standstill({ echo }: PairInUse, read: () => Promise<number>): Promise<number> {
  let last = await read();
  for (let unchanged = 0; unchanged < 20; unchanged++) {
    assert.equal((await echo.say({ sentence: "beside" })).sentence, "beside");
    const next = await read();
    if (next !== last) {
      unchanged = 0;
      last = next;
    }
  }
  return last;
}
