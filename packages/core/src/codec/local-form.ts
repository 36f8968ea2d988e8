// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isWrapperDesc } from "@bufbuild/protobuf/wkt";
import { type Fields, setKey } from "./fields.js";
import { messageFactory } from "./message-factory.js";

/** How a message is kept in a field, where that is not as a message. */
export interface LocalForm {
  /** Returns the message of what is in the field: an empty one if nothing is. */
  toMessage(local: unknown): Fields;
  toLocal(message: Fields): unknown;
}

/** A field of any kind that holds messages. */
export type MessageField = DescField & { readonly message: DescMessage };

/** Returns how a field keeps its messages, or undefined if it keeps them as they are. */
export function localForm(field: MessageField): LocalForm | undefined {
  const { message } = field;
  // google.protobuf.Struct is kept as a JSON object, but not inside google.protobuf.Value.
  if (message.typeName === "google.protobuf.Struct" && field.parent?.typeName !== "google.protobuf.Value") {
    return { toMessage: structOfJson, toLocal: jsonOfStruct };
  }
  // A wrapper is kept as its value, but only in a singular field outside a oneof.
  if (field.fieldKind === "message" && field.oneof === undefined && isWrapperDesc(message)) {
    const createWrapper = messageFactory(message);
    return {
      toMessage: (local) => {
        const wrapper = createWrapper();
        if (local !== undefined) {
          wrapper["value"] = local;
        }
        return wrapper;
      },
      toLocal: (wrapper) => wrapper["value"],
    };
  }
  return undefined;
}

interface Oneof {
  readonly case: string | undefined;
  readonly value?: unknown;
}

function jsonOfStruct(struct: Fields): unknown {
  const json: Fields = {};
  const values = struct["fields"] as Record<string, Fields>;
  for (const key of Object.keys(values)) {
    setKey(json, key, jsonOfValue(values[key] as Fields));
  }
  return json;
}

function jsonOfValue(value: Fields): unknown {
  const kind = value["kind"] as Oneof;
  switch (kind.case) {
    case undefined:
    case "nullValue":
      return null;
    case "structValue":
      return jsonOfStruct(kind.value as Fields);
    case "listValue":
      return ((kind.value as Fields)["values"] as Fields[]).map(jsonOfValue);
    default:
      return kind.value;
  }
}

function structOfJson(json: unknown): Fields {
  const values: Fields = {};
  if (json !== null && typeof json === "object" && !Array.isArray(json)) {
    for (const key of Object.keys(json)) {
      setKey(values, key, valueOfJson((json as Fields)[key]));
    }
  }
  return { $typeName: "google.protobuf.Struct", fields: values };
}

function valueOfJson(json: unknown): Fields {
  return { $typeName: "google.protobuf.Value", kind: kindOfJson(json) };
}

function kindOfJson(json: unknown): Oneof {
  switch (typeof json) {
    case "number":
      return { case: "numberValue", value: json };
    case "string":
      return { case: "stringValue", value: json };
    case "boolean":
      return { case: "boolValue", value: json };
    case "object":
      if (json === null) {
        return { case: "nullValue", value: 0 };
      }
      if (Array.isArray(json)) {
        return { case: "listValue", value: { $typeName: "google.protobuf.ListValue", values: json.map(valueOfJson) } };
      }
      return { case: "structValue", value: structOfJson(json) };
    default:
      return { case: undefined };
  }
}
