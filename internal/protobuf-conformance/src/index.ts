// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createFileRegistry, type DescMessage, type FileRegistry, fromBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** The types of the messages with which protobuf tests its implementations. */
export const protobufTypes: FileRegistry = registry("protobuf.binpb");

/** The types of messages that hold what those leave out. */
export const cornerTypes: FileRegistry = registry("corner.binpb");

/** All message types of both, without the entries of maps. */
export const messageTypes: readonly DescMessage[] = [protobufTypes, cornerTypes].flatMap((types) =>
  [...types.files]
    .filter((file) => !file.proto.package.startsWith("google.") && file.proto.package !== "conformance")
    .flatMap((file) => [...nestedTypes(file)].filter((type) => type.kind === "message")),
);

function registry(name: string): FileRegistry {
  const bytes = readFileSync(new URL(`gen/${name}`, import.meta.url));
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
}
