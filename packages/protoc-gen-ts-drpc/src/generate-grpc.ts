// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescFile } from "@bufbuild/protobuf";
import type { GeneratedFile, ImportSymbol, Target } from "@bufbuild/protoplugin";
import { functionDoc } from "./documentation.js";
import { generatedPath, nameServices } from "./names.js";
import { printFunction } from "./print-function.js";

const adapterPackage = "@ts-drpc/grpc";
const grpcPackage = "@grpc/grpc-js";

/** Prints, for each service of a file, a function that makes a client and one that adds a handler to a server of grpc-js. */
export function generateGrpc(f: GeneratedFile, file: DescFile, target: Target): void {
  // These keep their meaning as those of the other file do; see createNames.
  const own = (name: string): ImportSymbol => f.import(name, `./${generatedPath(file, "js", "grpc")}`);
  const [Partial, client, server, handler, options] = [
    own("Partial"),
    own("client"),
    own("server"),
    own("handler"),
    own("options"),
  ];
  const Client = f.import("Client", grpcPackage, true);
  const Server = f.import("Server", grpcPackage, true);
  const GrpcCallOptions = f.import("GrpcCallOptions", adapterPackage, true);
  const GrpcServeOptions = f.import("GrpcServeOptions", adapterPackage, true);
  const createGrpcClient = f.import("createGrpcClient", adapterPackage);
  const addGrpcService = f.import("addGrpcService", adapterPackage);
  for (const [service, names] of nameServices(file.services)) {
    const declared = (name: string): ImportSymbol => f.import(name, `./${generatedPath(file, "js")}`, true);
    const schema = f.importSchema(service);
    f.print(
      functionDoc(f, service, `Create a client that calls ${service.name} over gRPC, through a client of grpc-js.`),
    );
    printFunction(f, target, {
      name: `create${service.name}GrpcClient`,
      parameters: [
        [client, Client],
        [options, GrpcCallOptions, "optional"],
      ],
      result: declared(names.client),
      body: ["return ", createGrpcClient, "(", schema, ", ", client, ", ", options, ");"],
    });
    const sentence = `Add a handler for ${service.name} to a server of grpc-js. Methods left out answer with code unimplemented.`;
    f.print(functionDoc(f, service, sentence));
    printFunction(f, target, {
      name: `add${service.name}ToGrpcServer`,
      parameters: [
        [server, Server],
        [handler, [Partial, "<", declared(names.handler), ">"]],
        [options, GrpcServeOptions, "optional"],
      ],
      result: "void",
      body: [addGrpcService, "(", server, ", ", schema, ", ", handler, ", ", options, ");"],
    });
  }
}
