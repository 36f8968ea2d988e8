// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { create, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, DrpcError, type HandlerContext } from "@ts-drpc/core";
import { type gopeer, gopeerMessages } from "@ts-drpc-internal/fixtures";

type Msg = MessageShape<typeof gopeerMessages.MsgSchema>;
type MsgInit = MessageInitShape<typeof gopeerMessages.MsgSchema>;

/** Returns the bytes of a message of the golden service. */
export function msg(init: MsgInit): Uint8Array {
  return toBinary(gopeerMessages.MsgSchema, create(gopeerMessages.MsgSchema, init));
}

/** The service that the golden data was captured from, as golden.proto describes it. */
export class GoldenEcho implements gopeer.EchoHandler {
  identity(request: Msg): MsgInit {
    return request;
  }

  unary({ text, data, n }: Msg): MsgInit {
    return { text, data, n: n + 1n };
  }

  fail({ text, n }: Msg): MsgInit {
    throw new DrpcError(text, Code.Unknown, { wireCode: BigInt.asUintN(64, n) });
  }

  metadata(_request: Msg, { metadata }: HandlerContext): MsgInit {
    const keys = [...metadata.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return { text: keys.map((key) => `${key}=${metadata.get(key)};`).join(""), n: BigInt(keys.length) };
  }

  async *serverStream({ text, n }: Msg): AsyncGenerator<MsgInit> {
    for (let i = 1n; i <= n; i++) {
      yield { text: `${text}-${i}`, n: i };
    }
  }

  async *failStream({ n }: Msg): AsyncGenerator<MsgInit> {
    for (let i = 1n; i <= n; i++) {
      yield { n: i };
    }
    throw new DrpcError("boom", 7);
  }

  async *block(_request: Msg, { signal }: HandlerContext): AsyncGenerator<MsgInit> {
    yield { text: "blocked", n: 1n };
    await new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  async clientStream(requests: AsyncIterable<Msg>): Promise<MsgInit> {
    const texts: string[] = [];
    for await (const { text } of requests) {
      texts.push(text);
    }
    return { text: texts.join(","), n: BigInt(texts.length) };
  }

  async *bidi(requests: AsyncIterable<Msg>): AsyncGenerator<MsgInit> {
    for await (const { text, n } of requests) {
      yield { text: `echo:${text}`, n };
    }
  }

  async *early(): AsyncGenerator<MsgInit> {}
}
