// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What the generated client interface lets a caller write. It is compiled, never run.

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Client, Transport } from "@ts-drpc/core";
import { createThenableClient, type MethodsClient } from "../golden/methods_drpc.js";
import { createLineServiceClient, type LineServiceClient } from "../golden/service_drpc.js";
import type { SayResponse } from "../golden/service_pb.js";
import { type LineService, type SayRequest, type SayRequestSchema, SayResponseSchema } from "../golden/service_pb.js";

export async function calls(transport: Transport, requests: AsyncIterable<SayRequest>): Promise<void> {
  const client: LineServiceClient = createLineServiceClient(transport);
  const response: SayResponse = await client.say({ line: "hi" });
  await client.say({ line: "hi" }, { timeoutMs: 500 });
  await client.say({});
  for await (const each of client.repeat({ line: "hi", times: 3 })) each satisfies SayResponse;
  const joined: Promise<SayResponse> = client.join(requests);
  for await (const each of client.chat(requests)) each satisfies SayResponse;

  // @ts-expect-error a field that the message does not have
  client.say({ lines: "hi" });
  // @ts-expect-error a field of another type
  client.say({ line: 1 });
  // @ts-expect-error another message
  client.say(response);
  // @ts-expect-error a unary call gives one response, not many
  for await (const each of client.say({})) each satisfies SayResponse;
  // @ts-expect-error many responses cannot be awaited as one
  (await client.repeat({ line: "hi" })).line;
  // @ts-expect-error one request where many are taken
  client.join({ line: "hi" });
  // @ts-expect-error a method that the service does not have
  client.whisper({});
  // @ts-expect-error an option that calls do not have
  client.say({}, { timeout: 500 });
  // @ts-expect-error the response is a whole message, its fields are not optional
  response.line = undefined;
  await joined;
}

/** Requests may be given as they are initialised, without a whole message. */
export async function* initialised(): AsyncGenerator<MessageInitShape<typeof SayRequestSchema>> {
  yield { line: "hi" };
  yield {};
}

/** The generated interface and the runtime's mapped type are the same in both directions. */
export function same(generated: LineServiceClient, mapped: Client<typeof LineService>): void {
  generated satisfies Client<typeof LineService>;
  mapped satisfies LineServiceClient;
}

/** A fake needs nothing but the interface. */
export const fake: Pick<LineServiceClient, "say"> = {
  say: async (request) => ({ ...emptyResponse, line: request.line ?? "" }),
};

const emptyResponse: SayResponse = {
  $typeName: SayResponseSchema.typeName,
  line: "",
  words: [],
  counts: {},
};

/** A client with a method Then is no promise. */
export async function notThenable(transport: Transport): Promise<void> {
  const client = await createThenableClient(transport);
  await client.then$({});
}

/** Names that mean something in JavaScript are callable as they are. */
export async function names(client: MethodsClient): Promise<void> {
  await client.delete({});
  await client.constructor$({});
  await client.toString$({});
  await client.toJSON$({});
  await client.valueOf$({});
  await client.hasOwnProperty({});
  await client.close({});
  await client.new({});
  await client.__proto__({});
  client.toString() satisfies string;
  // @ts-expect-error new is a method of the client, not a constructor
  new client({});
}
