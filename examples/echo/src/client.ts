// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { createNodeTransport } from "@ts-drpc/node";
import { createEchoServiceClient } from "./gen/echo/v1/echo_drpc.js";

await using transport = createNodeTransport({ host: "localhost", port: Number(process.env["PORT"] ?? 8080) });
const echo = createEchoServiceClient(transport);

const { sentence } = await echo.say({ sentence: "hi" }, { timeoutMs: 5_000 });
console.log(sentence);

for await (const reply of echo.repeat({ sentence: "again", times: 3 })) {
  console.log(reply.sentence);
}

async function* words() {
  for (const word of ["many", "calls", "bye", "never seen"]) {
    yield { sentence: word };
  }
}
console.log((await echo.join(words())).sentence);

for await (const reply of echo.chat(words())) {
  if (reply.sentence === "bye") break; // cancels the call
  console.log(reply.sentence);
}

// Any number of calls at once, all over the one connection.
const replies = await Promise.all(Array.from({ length: 100 }, (_, n) => echo.say({ sentence: `call ${n}` })));
console.log(replies.length, "answers");
