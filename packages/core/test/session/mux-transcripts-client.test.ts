// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { type DescMethod, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Code, DrpcError, PushStream, type Transport } from "@ts-drpc/core";
import { gopeerMessages, toHex } from "@ts-drpc-internal/fixtures";
import type { StreamingMethod, UnaryMethod } from "../../src/rpc/transport.js";
import { decodeErrorPayload } from "../../src/wire/error-payload.js";
import { Kind } from "../../src/wire/kind.js";
import { decodeMetadataPayload } from "../../src/wire/metadata-payload.js";
import { answersOf, byStream, bytesOf, type MuxTranscript, muxTranscripts } from "../mux-transcripts.js";
import { dialRawServer, framesOf, type RawPeer, type WireFrame } from "../raw-peer.js";

const { Echo, MsgSchema } = gopeerMessages;
type Schema = typeof MsgSchema;
type Msg = MessageShape<Schema>;

const decoder = new TextDecoder();

for (const transcript of muxTranscripts()) {
  const { scenario } = transcript;

  test(`our client makes the calls of the recorded Go client, and takes the answers of the Go server that multiplexes: ${scenario}`, async () => {
    await replay(transcript, (bytes) => [bytes]);
  });

  if (bytesOf(transcript, "server").length < 10_000) {
    test(`our client takes the answers of the Go server that multiplexes when each byte comes alone: ${scenario}`, async () => {
      await replay(transcript, (bytes) => Array.from(bytes, (byte) => Uint8Array.of(byte)));
    });
  }
}

/** A call of the recorded client. */
interface RecordedCall {
  readonly stream: number;
  readonly path: string;
  readonly metadata: Record<string, string>;
  readonly requests: readonly Msg[];
  readonly canceled: boolean;
  /** What it sent, but for the Close that may follow a unary answer, and grants. */
  readonly sent: readonly string[];
}

function recordedCalls(bytes: Uint8Array): RecordedCall[] {
  return [...byStream(framesOf(bytes))].map(([stream, frames]) => {
    const bodies = (kind: number): Uint8Array[] => joined(frames.filter((each) => each.kind === kind));
    return {
      stream,
      path: decoder.decode(bodies(Kind.Invoke)[0]),
      metadata: Object.fromEntries(bodies(Kind.InvokeMetadata).flatMap((body) => [...decodeMetadataPayload(body)])),
      requests: bodies(Kind.Message).map((body) => fromBinary(MsgSchema, body)),
      canceled: frames.some(({ kind }) => kind === Kind.Cancel),
      sent: sentOf(frames),
    };
  });
}

/** The bodies of packets. */
function joined(frames: readonly WireFrame[]): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  for (const { data, done } of frames) {
    parts.push(data);
    if (done) {
      bodies.push(Buffer.concat(parts));
      parts = [];
    }
  }
  return bodies;
}

const uncompared: readonly number[] = [Kind.Close, Kind.InvokeMetadata, Kind.WindowUpdate];

function sentOf(frames: readonly WireFrame[]): string[] {
  return frames
    .filter(({ kind }) => !uncompared.includes(kind))
    .map(({ kind, control, done, data }) => `${kind} ${control} ${done} ${toHex(data)}`);
}

/** Makes all calls at once, answers with what the Go server wrote once all requests came, and compares both ways. */
async function replay(transcript: MuxTranscript, cut: (bytes: Uint8Array) => Uint8Array[]): Promise<void> {
  const calls = recordedCalls(bytesOf(transcript, "client"));
  const answers = byStream(answersOf(bytesOf(transcript, "server")));
  const { transport, peer, peers } = dialRawServer({ peer: "multiplexed", retry: { maxAttempts: 1 } });
  const results = calls.map((call) => resultOf(transport, call));
  const raw = await peer();
  await sentBy(raw, calls, ({ sent, canceled }) => (canceled ? sent.length - 1 : sent.length));
  raw.write(...cut(bytesOf(transcript, "server")));

  for (const [index, call] of calls.entries()) {
    const expected = expectedOf(answers.get(call.stream) ?? [], call.canceled);
    assert.deepEqual(await results[index], expected, `stream ${call.stream}, ${call.path}`);
  }
  await sentBy(raw, calls, ({ sent }) => sent.length);
  const came = byStream(raw.frames);
  assert.deepEqual(
    calls.map(({ stream }) => sentOf(came.get(stream) ?? [])),
    calls.map(({ sent }) => sent),
  );
  for (const { stream, metadata } of calls.slice(1)) {
    const [body] = (came.get(stream) ?? []).filter(({ kind }) => kind === Kind.InvokeMetadata);
    assert.deepEqual(Object.fromEntries(body === undefined ? [] : [...decodeMetadataPayload(body.data)]), metadata);
  }
  assert.equal(peers.length, 1);
}

/** Waits until each call has sent so many frames. */
function sentBy(raw: RawPeer, calls: readonly RecordedCall[], count: (call: RecordedCall) => number): Promise<void> {
  return raw.until(({ frames }) => {
    const came = byStream(frames);
    return calls.every((call) => sentOf(came.get(call.stream) ?? []).length >= count(call));
  });
}

/** The messages of an answer, and how it ended. */
type Result = readonly string[];

function expectedOf(frames: readonly WireFrame[], canceled: boolean): Result {
  const messages = joined(frames.filter(({ kind }) => kind === Kind.Message)).map(toHex);
  const [error] = frames.filter(({ kind }) => kind === Kind.Error).map(({ data }) => decodeErrorPayload(data).text);
  return [...messages, ...(canceled ? ["canceled"] : error === undefined ? [] : [error])];
}

async function resultOf(transport: Transport, { path, metadata, requests, canceled }: RecordedCall): Promise<Result> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const method: DescMethod = Echo.methods.find((each) => each.name === name) ?? { ...Echo.method.unary, name };
  const controller = new AbortController();
  const options = { metadata, signal: controller.signal };
  const came: string[] = [];
  try {
    if (method.methodKind === "unary") {
      const { message } = await transport.unary(method as UnaryMethod<Schema, Schema>, requests[0] ?? {}, options);
      came.push(toHex(toBinary(MsgSchema, message)));
    } else {
      const pushed = new PushStream<Msg>();
      const { messages } = await transport.stream(method as StreamingMethod<Schema, Schema>, pushed, options);
      void (async () => {
        for (const request of requests) {
          await pushed.send(request);
        }
        pushed.close();
      })().catch(() => undefined);
      for await (const message of messages) {
        came.push(toHex(toBinary(MsgSchema, message)));
        if (canceled) {
          controller.abort();
        }
      }
    }
  } catch (reason) {
    assert.ok(reason instanceof DrpcError, String(reason));
    came.push(reason.code === Code.Canceled ? "canceled" : reason.rawMessage);
  }
  return came;
}
