// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, DrpcError, type HandlerContext } from "@ts-drpc/core";
import type { gopeer, gopeerMessages } from "@ts-drpc-internal/fixtures";

export type Msg = MessageShape<typeof gopeerMessages.MsgSchema>;
export type MsgInit = MessageInitShape<typeof gopeerMessages.MsgSchema>;

/** The service of golden.proto, as the Go programs serve it. */
export class EchoHandler implements gopeer.EchoHandler {
  /** Why the calls of `block` ended. */
  readonly aborted: unknown[] = [];

  /** How many calls of `block` there were. */
  blocked = 0;

  identity(request: Msg): MsgInit {
    return request;
  }

  unary({ text, data, n }: Msg): MsgInit {
    return { text, data, n: n + 1n };
  }

  fail({ text, n }: Msg, { metadata }: HandlerContext): MsgInit {
    const what = metadata.get("do");
    if (what !== undefined) {
      throw new DOMException(what, what === "cancel" ? "AbortError" : "TimeoutError");
    }
    throw new DrpcError(text, Code.Unknown, { wireCode: BigInt.asUintN(64, n) });
  }

  metadata(_request: Msg, { metadata }: HandlerContext): MsgInit {
    const entries = [...metadata.keys()].map((key) => `${key}=${metadata.get(key)};`);
    entries.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    return { text: entries.join(""), n: BigInt(entries.length) };
  }

  async *serverStream({ text, data, n }: Msg): AsyncGenerator<MsgInit> {
    for (let index = 1n; index <= n; index++) {
      yield { text: `${text}-${index}`, data, n: index };
    }
  }

  async *failStream({ n }: Msg): AsyncGenerator<MsgInit> {
    for (let index = 1n; index <= n; index++) {
      yield { n: index };
    }
    throw new DrpcError("boom", 7);
  }

  async *block(_request: Msg, { signal }: HandlerContext): AsyncGenerator<MsgInit> {
    this.blocked++;
    yield { text: "blocked", n: 1n };
    await untilAborted(signal);
    this.aborted.push(signal.reason);
    throw signal.reason;
  }

  async clientStream(requests: AsyncIterable<Msg>): Promise<MsgInit> {
    const texts: string[] = [];
    for await (const { text } of requests) {
      texts.push(text);
    }
    return { text: texts.join(","), n: BigInt(texts.length) };
  }

  async *bidi(requests: AsyncIterable<Msg>): AsyncGenerator<MsgInit> {
    for await (const { text, data, n } of requests) {
      yield { text: `echo:${text}`, data, n };
    }
  }

  async *early(_requests: AsyncIterable<Msg>, { metadata, signal }: HandlerContext): AsyncGenerator<MsgInit> {
    if (metadata.get("do") === "stall") {
      await untilAborted(signal);
    }
    yield* [];
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
}
