// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { GeneratedFile, Printable } from "@bufbuild/protoplugin";

/**
 * Documents a method with the comments of the proto file, its idempotency level if it states one, and `@deprecated`.
 */
export function methodDoc(f: GeneratedFile, method: DescMethod): Printable {
  const doc = f.jsDoc(method, "  ");
  const level = idempotencyLevel(method);
  if (level === undefined || typeof doc !== "object" || !("kind" in doc) || doc.kind !== "es_jsdoc") return doc;
  return { ...doc, text: `${doc.text}\n@generated with option idempotency_level = ${level}` };
}

/** Documents a function that is made for a service, which is deprecated when the service or its file is. */
export function functionDoc(f: GeneratedFile, service: DescService, sentence: string): Printable {
  const deprecated = service.deprecated || service.file.deprecated;
  return f.jsDoc(`${sentence}\n\n@generated from ${service.toString()}${deprecated ? "\n@deprecated" : ""}`);
}

function idempotencyLevel(method: DescMethod): string | undefined {
  switch (method.idempotency) {
    case MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS:
      return "NO_SIDE_EFFECTS";
    case MethodOptions_IdempotencyLevel.IDEMPOTENT:
      return "IDEMPOTENT";
    default:
      return undefined;
  }
}
