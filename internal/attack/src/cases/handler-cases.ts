// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Kind } from "@ts-drpc/core/wire";
import type { AttackCase } from "../attack-case.js";
import { echoMessage, frame, invoke } from "../harness/frames.js";
import { behaviourKey } from "../harness/victim-handler.js";

const faults = [
  "throws",
  "throws at once",
  "throws in finally",
  "rejects with undefined",
  "rejects with an object that throws",
  "returns no iterable",
  "yields no message",
];
const stuckFaults = [
  "waits for its signal",
  "returns an iterator whose return throws",
  "returns an iterator whose return rejects",
];

const roundsOnConnection = 50;

/** Bugs in the code of users: in handlers, and in how they use signals. */
export const handlerCases: readonly AttackCase[] = [
  {
    name: "faulty-handlers",
    attack: 22,
    what: "handlers that throw at once, in `finally`, or undefined, that never return, or return what is no iterable",
    async run(field) {
      let connection = await field.connect();
      const rounds = field.times(500, 20);
      let id = 0;
      for (let round = 0; round < rounds; round++) {
        if (round % roundsOnConnection === 0) {
          // Handlers that never return keep their places until their connection ends.
          connection.reset();
          connection = await field.connect();
        }
        for (const behaviour of faults) {
          for (const path of [field.paths.serverStreaming, field.paths.unary, field.paths.bidi]) {
            id++;
            const request = path === field.paths.serverStreaming ? echoMessage("x", 1) : echoMessage("x");
            connection.write(
              invoke(id, path, { [behaviourKey]: behaviour }),
              frame(Kind.Message, id, 3, request),
              frame(Kind.CloseSend, id, 4),
            );
          }
        }
        for (const behaviour of stuckFaults) {
          id++;
          connection.write(
            invoke(id, field.paths.serverStreaming, { [behaviourKey]: behaviour }),
            frame(Kind.Message, id, 3, echoMessage("x", 1)),
            frame(Kind.CloseSend, id, 4),
            frame(Kind.Cancel, id, 5),
          );
        }
        await connection.settled(field.paths.unary, ++id);
      }
      const texts = [...connection.errorTexts.keys()];
      assert.ok(texts.length > 0 && texts.every((text) => text.endsWith("the handler failed")), texts.join("\n"));
      const { started } = await field.untilNoted(
        "all handlers have settled",
        (journal) => journal.settled === journal.started,
      );
      return `${started} handlers, whose callers learn that they failed, and not why`;
    },
  },
  {
    name: "one-signal-for-all",
    attack: 24,
    what: "100,000 calls with one AbortSignal, which is then aborted before, during and within `for await`",
    async run(field) {
      const { victim } = field;
      const before = (await victim.held()).heapMiB;
      const times = field.times(100_000, 1_000);
      const seen = await victim.call({ name: "longLivedSignal", port: victim.port, times });
      assert.equal(seen, "during canceled, after canceled, without it ok");
      const after = (await victim.held()).heapMiB;
      assert.ok(after <= before + 8, `${(after - before).toFixed()} MiB more are held than before`);
      return "each call ends with Canceled, and nothing is left behind";
    },
  },
];
