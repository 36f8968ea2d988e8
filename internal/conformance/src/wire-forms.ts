// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// The forms that metadata and errors have in the messages of the suite.

import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { DrpcError, type ErrorDetail, type Metadata } from "@ts-drpc/core";
import type { Code } from "./gen/connectrpc/conformance/v1/config_pb.js";
import {
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  type Error as ErrorMessage,
  ErrorSchema,
  type Header,
  HeaderSchema,
} from "./gen/connectrpc/conformance/v1/service_pb.js";

const typeUrlPrefix = "type.googleapis.com/";

/** Adds headers to metadata. */
export function appendHeaders(metadata: Metadata, headers: readonly Header[]): Metadata {
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    for (const each of value) {
      metadata.append(key, key.endsWith("-bin") ? Buffer.from(each, "base64") : each);
    }
  }
  return metadata;
}

/** Returns metadata as headers. */
export function headersOf(metadata: Metadata): Header[] {
  return [...metadata.keys()].map((name) =>
    create(HeaderSchema, {
      name,
      value: metadata
        .getAll(name)
        .map((value) => (typeof value === "string" ? value : Buffer.from(value).toString("base64"))),
    }),
  );
}

/** Returns the error that a handler was asked to throw, with what it saw of the requests if there was no other answer. */
export function errorToThrow(
  { code, message, details }: ErrorMessage,
  seen: ConformancePayload_RequestInfo | undefined,
): DrpcError {
  const asked: ErrorDetail[] = details.map(({ typeUrl, value }) => ({
    type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
    value,
  }));
  const own = seen === undefined ? [] : [{ desc: ConformancePayload_RequestInfoSchema, value: seen }];
  return new DrpcError(message ?? "", code, { details: [...asked, ...own] });
}

/** Returns an error that a call failed with as the runner takes it. */
export function errorMessage(reason: unknown): ErrorMessage {
  const { code, rawMessage, details } = DrpcError.from(reason);
  return create(ErrorSchema, {
    code: code as Code,
    message: rawMessage,
    details: details.map((detail) =>
      "desc" in detail
        ? anyPack(detail.desc, create(detail.desc, detail.value))
        : { typeUrl: typeUrlPrefix + detail.type, value: detail.value },
    ),
  });
}
