// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { DurationSchema } from "@bufbuild/protobuf/wkt";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { Code, DrpcError } from "@ts-drpc/core";
import { createEchoServiceClient, EchoService, SayRequestSchema } from "@ts-drpc-internal/fixtures";
import { addDrpcService, fromConnectTransport } from "../src/index.js";
import { httpWays, listen } from "./harness.js";

const duration = { desc: DurationSchema, value: { seconds: 3n } };
const longText = `/${"é".repeat(50_000)}`;
const longDetail = { desc: SayRequestSchema, value: { sentence: "x".repeat(100_000) } };

for (const { name, listen: serve, connect } of httpWays) {
  // Over Connect an error is the body of the answer, over the others it is trailers.
  const whole = name.startsWith("Connect");

  test(`an error keeps its code by ${name}, however large its text, its details and the trailer are`, async (t) => {
    const errors: { readonly [sentence: string]: DrpcError } = {
      text: new DrpcError(longText, Code.Aborted, { details: [duration] }),
      details: new DrpcError("short", Code.Aborted, { details: [duration, longDetail] }),
      both: new DrpcError(longText, Code.Aborted, { details: [longDetail] }),
      "half a character": new DrpcError("half a \ud800 character", Code.Aborted, { details: [duration] }),
      small: new DrpcError("/small", Code.Aborted, { details: [duration] }),
    };
    const { baseUrl, close } = await serve((router) =>
      addDrpcService(router, EchoService, {
        say({ sentence }, { responseTrailer }) {
          if (sentence === "both") {
            responseTrailer.set("own", "v".repeat(whole ? 10_000 : 59_000));
          }
          throw errors[sentence];
        },
      }),
    );
    t.after(close);
    const { transport, close: disconnect } = connect(baseUrl);
    t.after(disconnect);
    const echo = createEchoServiceClient(fromConnectTransport(transport));

    const told: { readonly [sentence: string]: readonly [text: string, details: number] } = {};
    for (const sentence of Object.keys(errors)) {
      await assert.rejects(echo.say({ sentence }), (error: DrpcError) => {
        assert.equal(error.code, Code.Aborted, sentence);
        Object.assign(told, { [sentence]: [error.rawMessage, error.details.length] });
        return true;
      });
    }
    const cut = `/${"é".repeat(2_047)}`;
    assert.deepEqual(
      told,
      whole
        ? {
            text: [longText, 1],
            details: ["short", 2],
            both: [longText, 1],
            "half a character": ["half a \ud800 character", 1],
            small: ["/small", 1],
          }
        : {
            text: [cut, 0],
            details: ["short", 1],
            both: [cut, 0],
            "half a character": ["half a \ufffd character", 1],
            small: ["/small", 1],
          },
    );
  });
}

test("a client of grpc-js sees the text of an error of a Connect router as it is", async (t) => {
  const ascii = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
  const texts = ["/echo.v1.EchoService/Say: what?", ` ${ascii} `, "%2F %41", "\t☺ 😈\r\n"];
  const { baseUrl, close } = await listen((router) =>
    addDrpcService(router, EchoService, {
      say({ sentence }) {
        throw new DrpcError(texts[sentence.length] ?? "", Code.Aborted);
      },
    }),
  );
  t.after(close);
  const client = new Client(new URL(baseUrl).host, credentials.createInsecure());
  t.after(() => client.close());
  const asIs = (body: Buffer): Buffer => body;
  for (const [index, text] of texts.entries()) {
    const request = Buffer.from([10, index, ...Buffer.from("x".repeat(index))]);
    const error = await new Promise<ServiceError | null>((resolve) => {
      client.makeUnaryRequest("/echo.v1.EchoService/Say", asIs, asIs, request, resolve);
    });
    assert.deepEqual([error?.code, error?.details], [Code.Aborted, text]);
  }
});
