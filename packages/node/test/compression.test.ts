// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { minlz, snappy } from "@ts-drpc/compression";
import { useClient, useServer } from "./harness.js";

const timeout = 20_000;
const host = "127.0.0.1";

for (const compression of [snappy, minlz]) {
  test(`${compression.name}: what repeats itself takes few bytes on a socket, in both directions`, {
    timeout,
  }, async (t) => {
    const { server } = useServer(t, { compressions: [compression] });
    const { port } = await server.listen({ host, port: 0 });
    const sockets: net.Socket[] = [];
    const relay = net.createServer((client) => {
      const upstream = net.connect(port, host);
      sockets.push(client, upstream);
      client.pipe(upstream).pipe(client);
    });
    relay.listen(0, host);
    await once(relay, "listening");
    t.after(() => relay.close());
    const echo = useClient(t, { host, port: (relay.address() as net.AddressInfo).port, compression });
    await echo.say({ sentence: "who are you?" });
    const sentence = "over and ".repeat(100_000);
    assert.equal((await echo.say({ sentence })).sentence, sentence);
    const [client, upstream] = sockets as [net.Socket, net.Socket];
    assert.ok(client.bytesRead < sentence.length / 10, `${client.bytesRead} bytes were sent`);
    assert.ok(upstream.bytesRead < sentence.length / 10, `${upstream.bytesRead} bytes came back`);
  });
}
