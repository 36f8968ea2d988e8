// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescMethod, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { DrpcError, PushStream, type Transport } from "@ts-drpc/core";
import { gopeerMessages } from "@ts-drpc-internal/fixtures";
import type { StreamingMethod, UnaryMethod } from "../../src/rpc/transport.js";
import { Kind } from "../../src/wire/kind.js";
import { decodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { dialRawServer, frame, framesOf, type WireFrame } from "../raw-peer.js";
import { type Transcript, transcripts, withoutRaces } from "../transcripts.js";

type Schema = typeof gopeerMessages.MsgSchema;
type Msg = MessageShape<Schema>;

// What a Go program does that our interface does not offer, and what ours sends instead.
const deliberatelyOther: Record<string, string> = {
  client_close_stream: "leaving a call sends Cancel, never Close",
  client_close_unflushed: "leaving a call sends Cancel, never Close",
  hard_cancel_server_stream: "a cancel is always soft: the connection stays",
  recv_first: "the server's CloseSend is answered with CloseSend, not Close",
  unary_without_message: "a unary call always has its request",
};

for (const transcript of transcripts()) {
  const { scenario } = transcript;
  const numbers = scenario.startsWith("unary_ok") ? "checklist 24, checklist 22, checklist 23" : "checklist 32";
  if (deliberatelyOther[scenario] !== undefined) {
    continue;
  }
  test(`our client sends what the recorded Go client sent: ${scenario} (${numbers})`, async () => {
    assert.deepEqual(withoutRaces(await replay(transcript)), withoutRaces(transcript.client));
  });
}

test("leaving a call early sends a Cancel where a Go client sends Close: client_close_stream", async () => {
  const transcript = named("client_close_stream");
  const sent = withoutRaces(await replay(transcript));
  const recorded = withoutRaces(transcript.client);
  assert.deepEqual(
    sent,
    recorded.map((shown) => shown.replace("Close 1/3", "Cancel 1/3 control")),
  );
});

test("leaving a call before anything was sent cancels it too: client_close_unflushed", async () => {
  const transcript = named("client_close_unflushed");
  const sent = withoutRaces(await replay(transcript));
  const recorded = withoutRaces(transcript.client);
  assert.deepEqual(
    sent,
    recorded.map((shown) => shown.replace("Close 1/2", "Cancel 1/2 control")),
  );
});

test("a CloseSend of the server is answered with CloseSend where a Go client sends Close: recv_first", async () => {
  const transcript = named("recv_first");
  const sent = withoutRaces(await replay(transcript));
  assert.deepEqual(
    sent,
    withoutRaces(transcript.client).map((shown) => shown.replace("Close 1/2", "CloseSend 1/2")),
  );
});

test("every scenario is replayed or named as deliberately other", () => {
  const names = new Set(transcripts().map(({ scenario }) => scenario));
  assert.equal(names.size, 36);
  assert.deepEqual(
    Object.keys(deliberatelyOther).filter((name) => !names.has(name)),
    [],
  );
});

function named(name: string): Transcript {
  return transcripts().find(({ scenario }) => scenario === name) as Transcript;
}

/** Makes the calls of the recorded client, one after the other, against the recorded server, and returns what was sent. */
async function replay({ scenario, client, server }: Transcript): Promise<Uint8Array> {
  const { transport, peer } = dialRawServer({ peer: "sequential", maxMetadataBytes: 1 << 20 });
  const frames = framesOf(client);
  const answers = framesOf(server);
  const streams = [...new Set(frames.map(({ stream }) => stream))];
  for (const stream of streams) {
    const call = callOf(frames.filter((each) => each.stream === stream));
    const answer = answers.filter((each) => each.stream === stream);
    const wanted = call.messages.length;
    void peer().then(async (raw) => {
      await raw.until(
        () =>
          raw.frames.filter((each) => each.stream === stream && each.kind === Kind.Message && each.done).length >=
          wanted,
      );
      if (call.end === Kind.CloseSend && scenario !== "recv_first") {
        await raw.frame(Kind.CloseSend, stream);
      }
      raw.write(...answer.map((each) => frame(each.kind, each.stream, each.message, each.data, each)));
    });
    await make(transport, call, answer);
  }
  await transport.close();
  const raw = await peer();
  await raw.ended;
  return raw.bytes;
}

interface RecordedCall {
  readonly path: string;
  readonly metadata: (readonly [string, string])[];
  readonly messages: Msg[];

  /** How the client left the call. */
  readonly end: number;
}

function callOf(frames: readonly WireFrame[]): RecordedCall {
  const bodyOf = (kind: number): Uint8Array =>
    Buffer.concat(frames.filter((each) => each.kind === kind).map(({ data }) => data));
  const ids = new Set(frames.filter(({ kind }) => kind === Kind.Message).map(({ message }) => message));
  const messages = [...ids].map((id) =>
    Buffer.concat(frames.filter(({ message }) => message === id).map(({ data }) => data)),
  );
  const cancel = frames.find(({ kind }) => kind === Kind.Cancel);
  const closeSend = frames.find(({ kind }) => kind === Kind.CloseSend);
  return {
    path: bodyOf(Kind.Invoke).toString(),
    metadata: decodeMetadataPayload(bodyOf(Kind.InvokeMetadata)),
    messages: messages.map((body) => fromBinary(gopeerMessages.MsgSchema, body)),
    end: (cancel ?? closeSend)?.kind ?? Kind.Close,
  };
}

async function make(
  transport: Transport,
  { path, metadata, messages, end }: RecordedCall,
  answer: WireFrame[],
): Promise<void> {
  const name = path.split("/").at(-1) as string;
  const known = gopeerMessages.Echo.methods.find((method) => method.name === name);
  // The recorded client of unknown_rpc calls a method that no descriptor has.
  const method = (known ?? { ...gopeerMessages.Echo.method.unary, name }) as DescMethod;
  const options = { metadata };
  const failed = answer.some(({ kind }) => kind === Kind.Error);
  const outcome = (async () => {
    if (method.methodKind === "unary") {
      await transport.unary(method as UnaryMethod<Schema, Schema>, messages[0] as Msg, options);
      return;
    }
    const requests = new PushStream<Msg>();
    const single = method.methodKind === "server_streaming";
    const response = await transport.stream(
      method as StreamingMethod<Schema, Schema>,
      single ? messages : requests,
      options,
    );
    const responses = response.messages[Symbol.asyncIterator]();
    if (!single) {
      for (const message of messages) {
        await requests.send(message);
      }
      if (end === Kind.CloseSend) {
        requests.close();
      }
    }
    if (end === Kind.Cancel || end === Kind.Close) {
      for (let count = answer.filter(({ kind }) => kind === Kind.Message).length; count > 0; count--) {
        await responses.next();
      }
      if (answer.every(({ kind }) => kind === Kind.Message)) {
        await responses.return?.();
        return;
      }
    }
    while ((await responses.next()).done !== true);
  })();
  if (failed) {
    await assert.rejects(outcome, DrpcError);
  } else {
    await outcome;
  }
}
