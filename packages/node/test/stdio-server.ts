// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { contractServer } from "@ts-drpc-internal/contract";
import { createConnectionListener } from "../src/index.js";
import type { Answer, Order } from "./child-process-pair.js";

// Serves its standard input and output. Whoever started it can watch and close it over the channel between processes.
const listener = createConnectionListener(contractServer());
listener.accept({ readable: process.stdin, writable: process.stdout }, "the parent process");

const send = (answer: Answer): void => {
  process.send?.(answer);
};
process.on("message", (message: Order) => {
  if (message.order === "close") {
    void listener.close(message).then(send);
  } else {
    send(listener.connectionCount);
  }
});
send(listener.connectionCount);
