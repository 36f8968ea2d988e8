// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Code } from "@ts-drpc/core";
import type { Carries } from "./contract-pair.js";
import { collect, type PairInUse, stream } from "./pair-in-use.js";
import { promise } from "./promise.js";

const almostTheLargest = 4 * 1024 * 1024 - 1_024;

/** The promises about the answers that calls get. */
export function answersContract(shared: { readonly current: PairInUse }, carries: Carries): void {
  promise("calls of all four kinds give the right answers", async () => {
    const { echo } = shared.current;
    assert.equal((await echo.say({ sentence: "hi" })).sentence, "hi");
    assert.deepEqual(sentences(await collect(echo.repeat({ sentence: "again", times: 3 }))), Array(3).fill("again"));
    assert.equal((await echo.join(words("a", "b", "c"))).sentence, "a b c");
    assert.deepEqual(sentences(await collect(echo.chat(words("x", "y")))), ["x", "y"]);
  });

  promise("300 calls of all kinds at once go over one connection, and each gets its own answer", async () => {
    const { echo, pair } = shared.current;
    const calls = Array.from({ length: 300 }, async (_, n) => {
      const sentence = `call ${n}`;
      switch (n % 4) {
        case 0:
          return assert.equal((await echo.say({ sentence })).sentence, sentence);
        case 1: {
          const replies = await collect(echo.repeat({ sentence, times: 5 }));
          return assert.deepEqual(sentences(replies), Array(5).fill(sentence));
        }
        case 2:
          return assert.equal(
            (await echo.join(words(sentence, "and", sentence))).sentence,
            `${sentence} and ${sentence}`,
          );
        default:
          return assert.deepEqual(sentences(await collect(echo.chat(words(sentence, "!")))), [sentence, "!"]);
      }
    });
    await Promise.all(calls);
    assert.equal((await pair.server?.connectionCount()) ?? 1, 1);
  });

  promise("a message of almost 4 MiB goes both ways, in a unary call and on a stream", async () => {
    const { echo } = shared.current;
    const attachment = Uint8Array.from({ length: almostTheLargest }, (_, n) => (n * 31 + (n >> 8)) & 0xff);
    const [said, [chatted]] = await Promise.all([
      echo.say({ attachment }),
      collect(echo.chat(stream([{ attachment }]))),
    ]);
    assert.ok(Buffer.from(said.attachment).equals(attachment));
    assert.ok(Buffer.from(chatted?.attachment ?? []).equals(attachment));
  });

  promise("empty messages and streams without messages are what they are", async () => {
    const { echo } = shared.current;
    const { sentence, attachment } = await echo.say({});
    assert.deepEqual([sentence, attachment], ["", new Uint8Array(0)]);
    assert.deepEqual(sentences(await collect(echo.repeat({ times: 3 }))), ["", "", ""]);
    assert.deepEqual(sentences(await collect(echo.chat(stream([{}, {}])))), ["", ""]);
    assert.equal((await echo.join(words("", ""))).sentence, " ");
    assert.deepEqual(await collect(echo.repeat({ sentence: "never" })), []);
    assert.deepEqual(await collect(echo.chat(stream([]))), []);
    assert.equal((await echo.join(stream([]))).sentence, "");
  });

  promise("metadata arrives as it was sent: text, bytes, and keys with several values", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    const text = carries === "what gRPC can" ? "Zoe & snow" : "Zoë & 雪";
    const metadata = { do: "show metadata", Tenant: text, empty: "", many: ["one", "two"], "raw-bin": [bytes, bytes] };
    const { sentence } = await shared.current.echo.say({}, { metadata });
    const expected = [
      ["do", "show metadata"],
      [carries === "what gRPC can" ? "tenant" : "Tenant", text],
      ["empty", ""],
      ...(carries === "anything"
        ? [
            ["many", "one"],
            ["many", "two"],
          ]
        : [["many", "one, two"]]),
      ["raw-bin", [...bytes]],
      ["raw-bin", [...bytes]],
    ];
    // What a caller is made of is told by gRPC too, and the order of keys is up to a protocol.
    const shown: [string, unknown][] = JSON.parse(sentence);
    assert.deepEqual(shown.filter(([key]) => key !== "user-agent").sort(byKey), expected.sort(byKey));
  });

  promise("an error arrives with its code and its text, whatever the kind of the call", async () => {
    const { echo } = shared.current;
    const metadata = (code: number) => ({ metadata: { do: "fail", code: String(code) } });
    const error = (code: number, rawMessage: string) => ({ name: "DrpcError", code, rawMessage });
    await assert.rejects(echo.say({ sentence: "no – ❄" }, metadata(Code.NotFound)), error(Code.NotFound, "no – ❄"));
    const own = carries === "what gRPC can" ? Code.Unknown : 4_711;
    await assert.rejects(echo.say({ sentence: "" }, metadata(4_711)), error(own, ""));
    await assert.rejects(echo.join(words("a"), metadata(Code.Aborted)), error(Code.Aborted, "join"));
    await assert.rejects(collect(echo.chat(words("a"), metadata(Code.DataLoss))), error(Code.DataLoss, "chat"));

    const received: string[] = [];
    const failing = async (): Promise<void> => {
      for await (const { sentence } of echo.repeat({ sentence: "late", times: 2 }, metadata(Code.OutOfRange))) {
        received.push(sentence);
      }
    };
    await assert.rejects(failing, error(Code.OutOfRange, "late"));
    assert.deepEqual(received, ["late", "late"], "what came before the error is delivered before it");
  });

  promise("what a handler throws that is no DrpcError is kept from the caller, and harms nobody else", async () => {
    const { echo } = shared.current;
    await assert.rejects(echo.say({ sentence: "secret" }, { metadata: { do: "throw" } }), (error: Error) => {
      assert.match(error.message, /the handler failed/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
    assert.equal((await echo.say({ sentence: "next" })).sentence, "next");
  });

  promise("10,000 small messages on a stream come back in order", async () => {
    const { echo } = shared.current;
    const numbers = Array.from({ length: 10_000 }, (_, n) => String(n));
    assert.deepEqual(sentences(await collect(echo.chat(words(...numbers)))), numbers);
  });
}

function words(...list: string[]): AsyncGenerator<{ sentence: string }> {
  return stream(list.map((sentence) => ({ sentence })));
}

function byKey([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}

function sentences(replies: readonly { readonly sentence: string }[]): string[] {
  return replies.map(({ sentence }) => sentence);
}
