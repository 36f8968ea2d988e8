// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, createRouter, DrpcError, type Handler, type HandlerContext, type Interceptor } from "@ts-drpc/core";
import { handlerFailure, type RouteCall, type RouteOptions, RouteServer } from "@ts-drpc/core/adapter";
import { EchoService, SayRequestSchema } from "@ts-drpc-internal/fixtures";

const peer = { address: "a test" };

/** Lets a server accept a call of Say. */
function accept(handler: Partial<Handler<typeof EchoService>>, options: RouteOptions): RouteCall | DrpcError {
  const route = createRouter().service(EchoService, handler).find("/echo.v1.EchoService/Say");
  assert.ok(route !== undefined);
  return new RouteServer(options).accept(route, { peer, metadata: [["tenant", "acme"]], deadline: undefined });
}

test("a call goes by the gate and the interceptors to the handler, without any connection", async () => {
  const seen: string[] = [];
  const interceptor: Interceptor = (next) => (request) => {
    seen.push("interceptor");
    return next(request);
  };
  const call = accept(
    {
      say: ({ sentence }, { metadata, peer: { address } }) => ({
        sentence: `${sentence} ${metadata.get("tenant")} ${address}`,
      }),
    },
    {
      gate: ({ method }) => {
        seen.push(`gate of ${method.name}`);
      },
      interceptors: [interceptor],
    },
  ) as RouteCall;
  const answer = await call.serve(create(SayRequestSchema, { sentence: "hi" }), call.context);
  assert.equal((answer as { sentence: string }).sentence, "hi acme a test");
  assert.deepEqual(seen, ["gate of Say", "interceptor"]);
});

test("a call that the gate refuses, or nobody serves, is an error instead", () => {
  const refused = accept(
    { say: () => ({}) },
    {
      gate: () => {
        throw new DrpcError("no", Code.PermissionDenied);
      },
    },
  );
  assert.ok(refused instanceof DrpcError);
  assert.equal(refused.code, Code.PermissionDenied);
  const left = accept({}, {});
  assert.ok(left instanceof DrpcError);
  assert.equal(left.code, Code.Unimplemented);
});

test("a caller is told of a DrpcError, and of nothing else that a handler throws", () => {
  const told: unknown[] = [];
  const onError = (reason: unknown, context: HandlerContext): void => {
    told.push([reason, context.method.name]);
  };
  const call = accept({ say: () => ({}) }, { onError }) as RouteCall;
  const own = new DrpcError("own", Code.Aborted);
  assert.equal(handlerFailure(call, own, false), own);
  assert.deepEqual(told, []);

  const fault = new Error("secret");
  const failure = handlerFailure(call, fault, false);
  assert.equal(failure.code, Code.Unknown);
  assert.doesNotMatch(failure.message, /secret/);
  assert.deepEqual(told.splice(0), [[fault, "Say"]]);

  const aborted = new DOMException("aborted", "AbortError");
  handlerFailure(call, aborted, true);
  assert.deepEqual(told, [], "what a handler throws because its call has ended is no fault");
});
