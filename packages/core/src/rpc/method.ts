// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMethod } from "@bufbuild/protobuf";
import { type MessageCodec, messageCodec } from "../codec/message-codec.js";
import { encodeText } from "../wire/text.js";

/** What calls need of a method again and again, worked out once. */
export interface Method {
  readonly desc: DescMethod;

  /** The name on the wire: `/package.Service/Method`. */
  readonly path: string;
  readonly pathBytes: Uint8Array;

  readonly input: MessageCodec;
  readonly output: MessageCodec;
}

const methods = new WeakMap<DescMethod, Method>();

/** Returns what is worked out of a method's descriptor. */
export function methodOf(desc: DescMethod): Method {
  let method = methods.get(desc);
  if (method === undefined) {
    const path = `/${desc.parent.typeName}/${desc.name}`;
    method = {
      desc,
      path,
      pathBytes: encodeText(path),
      input: messageCodec(desc.input),
      output: messageCodec(desc.output),
    };
    methods.set(desc, method);
  }
  return method;
}

/**
 * Returns the name of a method in clients and handlers: its local name, but
 * `then$` for `then`. An object with a method `then` is taken for a promise
 * wherever it is awaited, or returned from an async function.
 */
export function memberName(desc: DescMethod): string {
  return desc.localName === "then" ? "then$" : desc.localName;
}
