// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import { methodKey, methodName, nameServices } from "../src/names.js";
import { compileFile } from "./compile-request.js";
import { generate } from "./generate.js";

function services(...names: string[]): DescService[] {
  const declared = names.map((name) => `service ${name} {}`).join("\n");
  return compileFile(`syntax = "proto3"; ${declared}`).services;
}

function methods(...names: string[]): DescService {
  const declared = names.map((name) => `rpc ${name}(M) returns (M);`).join("\n");
  const [service] = compileFile(`syntax = "proto3"; message M {} service S { ${declared} }`).services;
  assert.ok(service);
  return service;
}

suite("names of services", () => {
  test("keep the name of the service whole", () => {
    const [names] = nameServices(services("EchoService")).values();
    assert.deepEqual(names, {
      client: "EchoServiceClient",
      create: "createEchoServiceClient",
      handler: "EchoServiceHandler",
      register: "registerEchoService",
    });
  });

  test("get a dollar sign where the name of an earlier service is taken", () => {
    const all = [...nameServices(services("Foo", "createFoo", "registerFoo", "FooClient", "FooHandler")).values()];
    const flat = all.flatMap((names) => Object.values(names));
    assert.equal(new Set(flat).size, flat.length);
    assert.equal(all[0]?.create, "createFooClient");
    assert.equal(all[1]?.client, "createFooClient$");
    assert.equal(all[3]?.register, "registerFooClient$");
  });

  test("do not change when a service is appended to the file", () => {
    const before = [...nameServices(services("Foo", "createFoo")).values()];
    const after = [...nameServices(services("Foo", "createFoo", "registerFoo", "registerFooClient")).values()];
    assert.deepEqual(after.slice(0, 2), before);
  });
});

suite("names of methods", () => {
  const expected: Record<string, string> = {
    Say: "say",
    Constructor: "constructor$",
    ToString: "toString$",
    ToJSON: "toJSON$",
    ValueOf: "valueOf$",
    Then: "then$",
    Delete: "delete",
    Close: "close",
    HasOwnProperty: "hasOwnProperty",
    New: "new",
    __proto__: "__proto__",
    snake_case: "snake_case",
  };
  for (const method of methods(...Object.keys(expected)).methods) {
    test(`${method.name} is called as ${expected[method.name]}`, () => {
      assert.equal(methodName(method), expected[method.name]);
    });
  }

  test("new is quoted, because new(…) in an interface declares a constructor", () => {
    assert.deepEqual(methods("New", "Get").methods.map(methodKey), ['"new"', "get"]);
  });

  test("two methods that would get the same name are refused with both names", () => {
    const say = `syntax = "proto3"; package a; message M {} service S { rpc Say(M) returns (M); rpc say(M) returns (M); }`;
    assert.throws(() => generate({ "say.proto": say }, "target=ts"), {
      message: 'say.proto: methods Say and say of service a.S would both be called "say", rename one of them',
    });
    const then = `syntax = "proto3"; message M {} service S { rpc Then(M) returns (M); rpc then(M) returns (M); }`;
    assert.throws(
      () => generate({ "then.proto": then }, "target=ts"),
      /Then and then of service S would both be called/,
    );
  });
});

suite("names in a generated file", () => {
  const content = (messages: string, rpcs: string, service = "S") => {
    const text = `syntax = "proto3"; ${messages} service ${service} { ${rpcs} }`;
    return generate({ "a.proto": text }, "target=ts")["a_drpc.ts"] ?? "";
  };

  test("a message called like a global is imported under another name", () => {
    const file = content(
      "message Promise {} message AsyncIterable {}",
      "rpc A(Promise) returns (stream AsyncIterable); rpc B(Promise) returns (Promise);",
    );
    assert.match(file, /import type \{ AsyncIterable as AsyncIterable\$1, .*Promise as Promise\$1/);
    assert.ok(file.includes("options?: CallOptions): AsyncIterable<AsyncIterable$1>;"), file);
  });

  test("a message called like one of our declarations is imported under another name", () => {
    const file = content("message SClient {}", "rpc A(SClient) returns (SClient);");
    assert.match(file, /import type \{ SClient as SClient\$1, SClientSchema \}/);
    assert.match(file, /^export interface SClient \{$/m);
  });

  test("a service called like a parameter is not shadowed by it", () => {
    for (const name of ["transport", "router", "handler"]) {
      const file = content("message M {}", "rpc A(M) returns (M);", name);
      assert.ok(file.includes(`  return createClient(${name}$1, transport);`), file);
      assert.ok(file.includes(`  router.service(${name}$1, handler);`), file);
    }
  });
});
