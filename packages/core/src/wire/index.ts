// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { decodeErrorPayload, type ErrorFormat, type ErrorPayload, encodeErrorPayload } from "./error-payload.js";
export { encodeFrameHeader, firstByte, maxFrameDataBytes, maxHeaderBytes } from "./frame-header.js";
export { FrameReader } from "./frame-reader.js";
export { isControlKind, Kind, kindName } from "./kind.js";
export { decodeMetadataPayload, encodeMetadataPayload, type MetadataEntries } from "./metadata-payload.js";
export { migrateHeader } from "./migrate-header.js";
export { PacketAssembler, PacketTooLargeError } from "./packet-assembler.js";
export { ProtocolError } from "./protocol-error.js";
export { decodeSettings, encodeSettings, type Settings, settingsVersion } from "./settings-payload.js";
export { encodeVarint, maxVarintBytes, VarintCursor, varintSize } from "./varint.js";
export { WriteBuffer } from "./write-buffer.js";
