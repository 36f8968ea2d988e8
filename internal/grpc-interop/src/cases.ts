// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Code, type DrpcError, type Metadata, PushStream } from "@ts-drpc/core";
import type { InteropPair, OutputRequest, OutputResponse, Payload } from "./interop-client.js";

const zeros = (size: number): Payload => ({ body: new Uint8Array(size) });
const outputSizes = [31_415, 9, 2_653, 58_979];
const inputSizes = [27_182, 8, 1_828, 45_904];
const specialMessage = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

/** The cases of gRPC's interoperability tests that need no credentials, by the names that they have there. */
export const cases: ReadonlyMap<string, (pair: InteropPair) => Promise<void>> = new Map(
  Object.entries({
    async empty_unary({ test }: InteropPair) {
      assert.ok(await test.emptyCall({}));
    },

    async large_unary({ test }: InteropPair) {
      assert.equal(sizeOf(await test.unaryCall({ responseSize: 314_159, payload: zeros(271_828) })), 314_159);
    },

    async client_streaming({ test }: InteropPair) {
      const requests = stream(inputSizes.map((size) => ({ payload: zeros(size) })));
      assert.equal((await test.streamingInputCall(requests)).aggregatedPayloadSize, 74_922);
    },

    async server_streaming({ test }: InteropPair) {
      const responseParameters = outputSizes.map((size) => ({ size }));
      assert.deepEqual(await sizes(test.streamingOutputCall({ responseParameters })), outputSizes);
    },

    async ping_pong({ test }: InteropPair) {
      const requests = new PushStream<OutputRequest>();
      const responses = test.fullDuplexCall(requests)[Symbol.asyncIterator]();
      for (const [index, size] of outputSizes.entries()) {
        await requests.send({ responseParameters: [{ size }], payload: zeros(inputSizes[index] ?? 0) });
        assert.equal(sizeOf((await responses.next()).value), size);
      }
      requests.close();
      assert.equal((await responses.next()).done, true);
    },

    async empty_stream({ test }: InteropPair) {
      assert.deepEqual(await sizes(test.fullDuplexCall(stream([]))), []);
    },

    async cancel_after_begin({ test }: InteropPair) {
      const controller = new AbortController();
      const requests = new PushStream<{ readonly payload: Payload }>();
      const call = test.streamingInputCall(requests, { signal: controller.signal });
      controller.abort();
      await assertFails(call, Code.Canceled);
      requests.close();
    },

    async cancel_after_first_response({ test }: InteropPair) {
      const controller = new AbortController();
      const requests = new PushStream<OutputRequest>();
      const call = test.fullDuplexCall(requests, { signal: controller.signal });
      const responses = call[Symbol.asyncIterator]();
      await requests.send({ responseParameters: [{ size: 31_415 }], payload: zeros(27_182) });
      assert.equal(sizeOf((await responses.next()).value), 31_415);
      controller.abort();
      await assertFails(responses.next(), Code.Canceled);
      requests.close();
    },

    async timeout_on_sleeping_server({ test }: InteropPair) {
      const requests = new PushStream<OutputRequest>();
      const call = test.fullDuplexCall(requests, { timeoutMs: 1 });
      requests.send({ payload: zeros(27_182) }).catch(() => undefined);
      await assertFails(sizes(call), Code.DeadlineExceeded);
      requests.close();
    },

    async custom_metadata({ test }: InteropPair) {
      const initial = "test_initial_metadata_value";
      const trailing = new Uint8Array([0xab, 0xab, 0xab]);
      const metadata = { "x-grpc-test-echo-initial": initial, "x-grpc-test-echo-trailing-bin": trailing };
      const told: unknown[] = [];
      const options = {
        metadata,
        onHeader: (header: Metadata) => told.push(firstOf(header, "x-grpc-test-echo-initial")),
        onTrailer: (trailer: Metadata) => told.push(firstOf(trailer, "x-grpc-test-echo-trailing-bin")),
      };
      await test.unaryCall({ responseSize: 314_159, payload: zeros(271_828) }, options);
      assert.deepEqual(told.splice(0), [initial, [...trailing]]);
      const request = { responseParameters: [{ size: 314_159 }], payload: zeros(271_828) };
      assert.deepEqual(await sizes(test.fullDuplexCall(stream([request]), options)), [314_159]);
      assert.deepEqual(told, [initial, [...trailing]]);
    },

    async status_code_and_message({ test }: InteropPair) {
      const responseStatus = { code: Code.Unknown, message: "test status message" };
      await assertFails(test.unaryCall({ responseStatus }), Code.Unknown, responseStatus.message);
      await assertFails(sizes(test.fullDuplexCall(stream([{ responseStatus }]))), Code.Unknown, responseStatus.message);
    },

    async special_status_message({ test }: InteropPair) {
      const responseStatus = { code: Code.Unknown, message: specialMessage };
      await assertFails(test.unaryCall({ responseStatus }), Code.Unknown, specialMessage);
    },

    async unimplemented_method({ test }: InteropPair) {
      await assertFails(test.unimplementedCall({}), Code.Unimplemented);
    },

    async unimplemented_service({ unimplemented }: InteropPair) {
      await assertFails(unimplemented.unimplementedCall({}), Code.Unimplemented);
    },
  }),
);

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function sizes(responses: AsyncIterable<OutputResponse>): Promise<number[]> {
  const all: number[] = [];
  for await (const response of responses) {
    all.push(sizeOf(response));
  }
  return all;
}

function sizeOf(response: OutputResponse): number {
  return response.payload?.body.length ?? 0;
}

/** Returns the first value under a key, of our metadata or of grpc-js's. */
function firstOf(metadata: Metadata, key: string): unknown {
  const [value] = "getAll" in metadata ? metadata.getAll(key) : (metadata as { get(key: string): unknown[] }).get(key);
  return value instanceof Uint8Array ? [...value] : value;
}

/** Asserts that a call fails, with a DrpcError or with the error of grpc-js. */
async function assertFails(call: Promise<unknown>, code: Code, text?: string): Promise<void> {
  await assert.rejects(call, (reason: DrpcError & { readonly details: unknown }) => {
    assert.equal(reason.code, code);
    if (text !== undefined) {
      assert.equal(reason.rawMessage ?? reason.details, text);
    }
    return true;
  });
}
