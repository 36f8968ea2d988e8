// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient, createRouter } from "@ts-drpc/core";
import { createRouterTransport } from "@ts-drpc/core/testing";
import { EchoHandler, EchoService, registerEchoService } from "@ts-drpc-internal/fixtures";

/** Makes a service with unary methods of these names, at run time. */
function serviceWith(...names: string[]): DescService {
  const message = { name: "M", field: [{ name: "text", number: 1, type: 9, label: 1 }] };
  const method = names.map((name) => ({ name, inputType: ".t.M", outputType: ".t.M" }));
  const file = {
    name: "t.proto",
    package: "t",
    syntax: "proto3",
    messageType: [message],
    service: [{ name: "S", method }],
  };
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file as object] }));
  return registry.getService("t.S") as DescService;
}

type Functions = Record<string, (request: { text: string }) => Promise<{ text: string }>>;

function connect(service: DescService, handler: object): Functions {
  const transport = createRouterTransport((router) => router.service(service, handler));
  return createClient(service, transport) as unknown as Functions;
}

test("a router tells of all its routes, in the order in which they were registered, served or not", () => {
  const router = createRouter();
  registerEchoService(router, { join: () => ({}) });
  router.service(serviceWith("Later"), {});
  const routes = [...router.routes()].map(({ method, serve }) => [method.path, serve !== undefined]);
  assert.deepEqual(routes, [
    ["/echo.v1.EchoService/Say", false],
    ["/echo.v1.EchoService/Repeat", false],
    ["/echo.v1.EchoService/Join", true],
    ["/echo.v1.EchoService/Chat", false],
    ["/t.S/Later", false],
  ]);
});

test("a service that is registered twice is refused by its name", () => {
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  assert.throws(() => registerEchoService(router, {}), {
    name: "TypeError",
    message: "service echo.v1.EchoService is registered already",
  });
});

test("what is no function under a method's name is refused with its name", () => {
  const router = createRouter();
  assert.throws(() => router.service(EchoService, { say: "hello" as never }), {
    name: "TypeError",
    message: "the handler of echo.v1.EchoService has a string as say, not a function",
  });
  assert.throws(() => router.service(EchoService, { say: null as never }), TypeError);
});

test("a method called Then is then$ in clients and handlers, so that a client can be awaited and returned", async () => {
  const service = serviceWith("Then", "Catch", "Finally");
  const echo = (request: object): object => request;
  const client = connect(service, { then$: echo, catch: echo, finally: echo });
  assert.equal((await (async () => client)()) === client, true);
  assert.equal((await client["then$"]?.({ text: "x" }))?.text, "x");
  assert.equal((await client["catch"]?.({ text: "y" }))?.text, "y");
  assert.equal((await client["finally"]?.({ text: "z" }))?.text, "z");
});

test("methods called like what every object has are served by the handler, or are Unimplemented", async () => {
  const service = serviceWith(
    "ToString",
    "Constructor",
    "HasOwnProperty",
    "IsPrototypeOf",
    "ValueOf",
    "Delete",
    "__proto__",
  );
  const nothing = connect(service, {});
  for (const { localName } of service.methods) {
    await assert.rejects(nothing[localName]?.({ text: "x" }) as Promise<unknown>, { code: 12 }, localName);
  }
  const all = connect(
    service,
    Object.fromEntries(service.methods.map(({ localName }) => [localName, (request: object) => request])),
  );
  for (const { localName } of service.methods) {
    assert.equal((await all[localName]?.({ text: localName }))?.text, localName);
  }
});

test("functions that a handler gets later, or changes, are called as they then are", async () => {
  const handler = new EchoHandler();
  const transport = createRouterTransport((router) => registerEchoService(router, handler));
  const client = createClient(EchoService, transport);
  assert.equal((await client.say({ sentence: "a" })).sentence, "a");
  handler.say = () => ({ sentence: "changed", attachment: new Uint8Array(0) });
  assert.equal((await client.say({ sentence: "a" })).sentence, "changed");
});

test("a path that no router has is found to be none, however close", () => {
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  assert.ok(router.find("/echo.v1.EchoService/Say") !== undefined);
  for (const path of [
    "",
    "/",
    "echo.v1.EchoService/Say",
    "/echo.v1.EchoService/say",
    "/echo.v1.EchoService/Say/",
    "/__proto__/constructor",
  ]) {
    assert.equal(router.find(path), undefined);
  }
});

test("a handler that is refused leaves nothing registered", () => {
  const router = createRouter();
  const wrong = { say: () => ({}), repeat: 7 } as never;
  assert.throws(() => registerEchoService(router, wrong), /the handler of echo.v1.EchoService has a number as repeat/);
  assert.equal(router.find("/echo.v1.EchoService/Say"), undefined);
  registerEchoService(router, new EchoHandler());
});
