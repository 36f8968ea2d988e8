// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescFile, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import type { GeneratedFile, ImportSymbol, Target } from "@bufbuild/protoplugin";

/** The names of the four declarations that a service is given. */
export interface ServiceNames {
  /** The client interface, `XClient`. */
  readonly client: string;
  /** The function that makes a client, `createXClient`. */
  readonly create: string;
  /** The handler interface, `XHandler`. */
  readonly handler: string;
  /** The function that registers a handler, `registerX`. */
  readonly register: string;
}

/** All names that are printed for one service. */
export interface Names extends ServiceNames {
  /** Types and functions of the two runtime packages, which are imported where they are printed. */
  readonly imported: Readonly<Record<ImportedName, ImportSymbol>>;
  /** Identifiers that must keep their meaning: no import may take them. */
  readonly reserved: Readonly<Record<ReservedName, ImportSymbol>>;
  /** Returns the names that protoc-gen-es gave to a message. */
  readonly message: (message: DescMessage) => MessageNames;
}

/** What protoc-gen-es made of a message. */
export interface MessageNames {
  readonly shape: ImportSymbol;
  readonly schema: ImportSymbol;
}

type ImportedName = "CallOptions" | "HandlerContext" | "MessageInitShape" | "Router" | "Transport" | "createClient";

type ReservedName = "AsyncIterable" | "Partial" | "Promise" | "handler" | "router" | "transport";

const runtimePackage = "@ts-drpc/core";

/** Returns the path of a file that is generated for the services of a proto file: the one, or the one with adapters. */
export function generatedPath(file: DescFile, target: Target, adapters?: "grpc"): string {
  const name = adapters === undefined ? `${file.name}_drpc` : `${file.name}_drpc_${adapters}`;
  return `${name}.${target === "dts" ? "d.ts" : target}`;
}

/**
 * Makes the names of one generated file, service by service.
 *
 * protoplugin renames an import that clashes with an export of the file or with another import, so a message
 * called EdgeServiceClient or CallOptions is imported as EdgeServiceClient$1 or the like. It knows nothing of the
 * globals and parameters that are printed as plain text, which a message called Promise or a service called
 * transport would shadow. Those are printed as symbols that claim to be declared in this very file: that
 * prints the bare name, imports nothing, and makes protoplugin rename whatever else wants the name.
 */
export function createNames(f: GeneratedFile, file: DescFile): Map<DescService, Names> {
  const runtime = (name: string, typeOnly: boolean): ImportSymbol => f.import(name, runtimePackage, typeOnly);
  const own = (name: string): ImportSymbol => f.import(name, `./${file.name}_drpc.js`);
  const imported = {
    CallOptions: runtime("CallOptions", true),
    HandlerContext: runtime("HandlerContext", true),
    MessageInitShape: f.import("MessageInitShape", "@bufbuild/protobuf", true),
    Router: runtime("Router", true),
    Transport: runtime("Transport", true),
    createClient: runtime("createClient", false),
  };
  const reserved = {
    AsyncIterable: own("AsyncIterable"),
    Partial: own("Partial"),
    Promise: own("Promise"),
    handler: own("handler"),
    router: own("router"),
    transport: own("transport"),
  };
  const message = rememberMessages(f);
  const names = new Map<DescService, Names>();
  for (const [service, four] of nameServices(file.services))
    names.set(service, { ...four, imported, reserved, message });
  return names;
}

/** Asks protoplugin only once for each message: it works out the names of a whole file for every answer. */
function rememberMessages(f: GeneratedFile): (message: DescMessage) => MessageNames {
  const known = new Map<DescMessage, MessageNames>();
  return (message) => {
    const names = known.get(message) ?? { shape: f.importShape(message), schema: f.importSchema(message, true) };
    known.set(message, names);
    return names;
  };
}

/**
 * Names the declarations of all services of a file.
 *
 * The names of two services can meet: Foo is made by `createFooClient`, which is also the client interface of a
 * service createFoo. The service that comes later in the file then gets the name with a "$" appended, and with "$1",
 * "$2" if that is taken too, as protoc-gen-es does. A "$" cannot appear in a proto name, and a service appended to a
 * file never changes the names of those before it.
 */
export function nameServices(services: readonly DescService[]): Map<DescService, ServiceNames> {
  const taken = new Set<string>();
  const take = (ideal: string): string => {
    let name = ideal;
    for (let i = 0; taken.has(name); i++) name = i === 0 ? `${ideal}$` : `${ideal}$${i}`;
    taken.add(name);
    return name;
  };
  const names = new Map<DescService, ServiceNames>();
  for (const service of services) {
    names.set(service, {
      client: take(`${service.name}Client`),
      create: take(`create${service.name}Client`),
      handler: take(`${service.name}Handler`),
      register: take(`register${service.name}`),
    });
  }
  return names;
}

/**
 * Returns the name of a method in the client and handler interfaces: the descriptor's `localName`, for which
 * protobuf-es has already turned `constructor`, `toString`, `toJSON` and `valueOf` into `constructor$` and so on.
 * One name is added to those: an object with a `then` method is taken for a promise by `await`, so it becomes `then$`.
 * The runtime's mapped types follow the same rule.
 */
export function methodName(method: DescMethod): string {
  return method.localName === "then" ? "then$" : method.localName;
}

/** Returns a method's name as it is written in an interface, where `new(…)` would declare a constructor. */
export function methodKey(method: DescMethod): string {
  const name = methodName(method);
  return name === "new" ? `"${name}"` : name;
}

/**
 * Checks that no two methods of a service get the same name. Protobuf allows Say beside say.
 *
 * @throws Error that names the service and both methods.
 */
export function assertDistinctMethods(service: DescService): void {
  const seen = new Map<string, DescMethod>();
  for (const method of service.methods) {
    const name = methodName(method);
    const other = seen.get(name);
    if (other !== undefined) {
      throw new Error(
        `${service.file.proto.name}: methods ${other.name} and ${method.name} of service ${service.typeName} ` +
          `would both be called "${name}", rename one of them`,
      );
    }
    seen.set(name, method);
  }
}
