// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { type CallOptions, Code, PushStream } from "@ts-drpc/core";
import { collect, newKey, type PairInUse } from "./pair-in-use.js";
import { promise } from "./promise.js";

/** Calls of each kind whose handler goes on until it is told that they ended. */
const hangingCalls: { [kind: string]: (use: PairInUse, options: CallOptions) => Promise<unknown> } = {
  unary: ({ echo }, options) => echo.say({}, options),
  "server streaming": ({ echo }, options) => collect(echo.repeat({}, options)),
  "client streaming": ({ echo }, options) => echo.join(new PushStream(), options),
  bidirectional: ({ echo }, options) => collect(echo.chat(new PushStream(), options)),
};

/** The promises about calls that end before they are over. */
export function cancellationContract(shared: { readonly current: PairInUse }): void {
  for (const [kind, call] of Object.entries(hangingCalls)) {
    promise(`a ${kind} call canceled by its signal tells the handler, and the connection goes on`, async () => {
      const use = shared.current;
      const key = newKey();
      const controller = new AbortController();
      const { signal } = controller;
      const canceled = assert.rejects(call(use, { ...use.doing("hang", key), signal }), { code: Code.Canceled });
      await use.read(`${key} started`);
      controller.abort();
      await canceled;
      assert.equal(await use.read(`${key} ended`), "canceled");
      await goesOn(use);
    });

    promise(`a ${kind} call whose time is over tells the handler, and the connection goes on`, async () => {
      const use = shared.current;
      let key = newKey();
      // The time may be over before the call has come to its handler, and then it is made again with more of it.
      for (let timeoutMs = 50; ; timeoutMs *= 4) {
        const ended = call(use, { ...use.doing("hang", key), timeoutMs });
        await assert.rejects(ended, { code: Code.DeadlineExceeded });
        await goesOn(use);
        if ((await use.count(key)) > 0) {
          break;
        }
        key = newKey();
      }
      // Both sides watch the clock, and either may be the first to notice.
      assert.match(await use.read(`${key} ended`), /^(deadline_exceeded|canceled)$/);
    });
  }

  promise("leaving the replies by break tells the handler, and the connection goes on", async () => {
    const use = shared.current;
    const { echo } = use;
    const calls = [
      (options: CallOptions) => echo.repeat({}, options),
      (options: CallOptions) => echo.chat(new PushStream(), options),
    ];
    for (const call of calls) {
      const key = newKey();
      for await (const _ of call(use.doing("hang", key))) {
        break;
      }
      assert.equal(await use.read(`${key} ended`), "canceled");
    }
    await goesOn(use);
  });

  promise("a canceled call tells the source of its requests", async () => {
    const use = shared.current;
    const key = newKey();
    const requests = new PushStream<{ sentence: string }>();
    const controller = new AbortController();
    const call = use.echo.join(requests, { ...use.doing("hang", key), signal: controller.signal });
    const canceled = assert.rejects(call, { code: Code.Canceled });
    await use.read(`${key} started`);
    controller.abort();
    await canceled;
    await assert.rejects(requests.send({ sentence: "too late" }));
  });

  promise("a signal that outlives its calls keeps none of their listeners", async () => {
    const { echo } = shared.current;
    const { signal } = new AbortController();
    await echo.say({}, { signal });
    await collect(echo.repeat({ times: 2 }, { signal }));
    for await (const _ of echo.repeat({ times: 1_000 }, { signal })) {
      break;
    }
    assert.deepEqual(getEventListeners(signal, "abort"), []);
  });
}

async function goesOn({ echo, pair }: PairInUse): Promise<void> {
  assert.equal((await echo.say({ sentence: "still here" })).sentence, "still here");
  assert.equal((await pair.server?.connectionCount()) ?? 1, 1);
}
