// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

/** Starts a server for WebSockets on a free port. */
export async function listenForWebSockets(): Promise<{ server: WebSocketServer; port: number }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

const texts = new WeakMap<Uint8Array, string>();

/** Returns the body as the text that contenders get whose messages are JSON. It is made once for each body. */
export function asText(body: Uint8Array): string {
  let text = texts.get(body);
  if (text === undefined) {
    text = Buffer.from(body).toString("latin1");
    texts.set(body, text);
  }
  return text;
}
