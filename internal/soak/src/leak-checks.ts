// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Code,
  createRouter,
  createSessionTransport,
  DrpcError,
  type ServeOptions,
  type Transport,
} from "@ts-drpc/core";
import {
  createEchoServiceClient,
  EchoHandler,
  type EchoServiceClient,
  registerEchoService,
} from "@ts-drpc-internal/fixtures";
import { liveBytes, openHandles } from "./heap.js";
import { type Link, type LinkKind, openLink } from "./link.js";

/** Something that is done very often, and must leave nothing behind. */
export interface LeakCheck {
  readonly name: string;

  /** How often it is done in a full run, and in a quick one. */
  readonly times: { readonly full: number; readonly quick: number };

  /** Does it so many times, in one go. */
  readonly run: (subject: Subject, times: number) => Promise<void>;
}

/** What is checked: a client and a server. */
interface Subject {
  readonly echo: EchoServiceClient;
  readonly transport: Transport;
  readonly link: Link;
  readonly controller: AbortController;
}

/** What a check found. */
export interface LeakReport {
  readonly name: string;
  readonly link: LinkKind;
  readonly times: number;

  /** How much more is alive after the second half than after the first. */
  readonly grownBytes: number;
  readonly problems: readonly string[];
}

// Caches and the optimizer move a little; what leaks by the item is far above this in a full run.
const maxGrownBytes = 1_500_000;
const settleMs = 10_000;

/** All leak checks. */
export const leakChecks: readonly LeakCheck[] = [
  {
    name: "messages on one stream",
    times: { full: 1_000_000, quick: 20_000 },
    async run({ echo }, times) {
      const attachment = new Uint8Array(20);
      let sent = 0;
      const requests = (async function* () {
        for (; sent < times; sent++) {
          yield { sentence: "", attachment };
        }
      })();
      let received = 0;
      for await (const response of echo.chat(requests)) {
        received += response.attachment.length / attachment.length;
      }
      expectEqual(received, times, "messages came back");
    },
  },
  {
    name: "calls with one signal",
    times: { full: 100_000, quick: 4_000 },
    async run({ echo, controller }, times) {
      const { signal } = controller;
      await many(times, 50, () => echo.say({ sentence: "x" }, { signal, timeoutMs: 60_000 }));
      expectEqual(getEventListeners(signal, "abort").length, 0, "listeners are left on the signal");
    },
  },
  {
    name: "calls that are canceled",
    times: { full: 50_000, quick: 2_000 },
    async run({ echo }, times) {
      await many(times, 50, async () => {
        const controller = new AbortController();
        const responses = echo.repeat({ sentence: "x", times: 1_000_000 }, { signal: controller.signal });
        await responses[Symbol.asyncIterator]().next();
        controller.abort();
      });
    },
  },
  {
    name: "reconnects",
    times: { full: 10_000, quick: 300 },
    async run({ echo, link }, times) {
      for (let count = 0; count < times; count++) {
        await sayOnNewConnection(echo);
        await Promise.all([...link.served].map((served) => served.close({ drainMs: 1_000 })));
      }
    },
  },
];

/** Runs a check twice, and compares what is alive after each. Nothing may have grown, and at the end nothing may be left. */
export async function checkLeaks(check: LeakCheck, linkKind: LinkKind, times: number): Promise<LeakReport> {
  const problems: string[] = [];
  const warn = (warning: Error): void => {
    problems.push(`Node warns: ${warning.message}`);
  };
  process.on("warning", warn);
  const handlesBefore = openHandles();
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  const options: ServeOptions = { maxResetsPerSecond: 1_000_000 };
  const link = await openLink(linkKind, router, options);
  const transport = createSessionTransport(() => link.dial());
  const subject = { echo: createEchoServiceClient(transport), transport, link, controller: new AbortController() };
  const half = Math.ceil(times / 2);
  let grownBytes = 0;
  try {
    await check.run(subject, half);
    const before = await liveBytes();
    await check.run(subject, half);
    grownBytes = (await liveBytes()) - before;
    if (grownBytes > maxGrownBytes) {
      problems.push(`${grownBytes} more bytes are alive after ${half} more of ${check.name}`);
    }
  } catch (error) {
    problems.push(String(error));
  }
  await transport.close({ drainMs: 0 });
  await link.close();
  problems.push(...(await leftHandles(handlesBefore)));
  process.off("warning", warn);
  return { name: check.name, link: linkKind, times: 2 * half, grownBytes, problems };
}

/** Waits until nothing more keeps this process alive than before, and says what does if that takes too long. */
async function leftHandles(before: ReadonlyMap<string, number>): Promise<string[]> {
  const left = (): string[] =>
    [...openHandles()]
      .filter(([name, count]) => name !== "Timeout" && name !== "Immediate" && count > (before.get(name) ?? 0))
      .map(([name, count]) => `${count} handles of the kind ${name} are left, there were ${before.get(name) ?? 0}`);
  const timers = (): number => openHandles().get("Timeout") ?? 0;
  const start = performance.now();
  // One timer is this one.
  while ((left().length > 0 || timers() > (before.get("Timeout") ?? 0)) && performance.now() - start < settleMs) {
    await new Promise(setImmediate);
  }
  const tooMany = timers() - (before.get("Timeout") ?? 0);
  return tooMany > 0 ? [...left(), `${tooMany} timers are left`] : left();
}

/** The client may not have noticed yet that the last connection is gone. */
async function sayOnNewConnection(echo: EchoServiceClient): Promise<void> {
  for (;;) {
    try {
      await echo.say({ sentence: "x" });
      return;
    } catch (error) {
      if (DrpcError.from(error).code !== Code.Unavailable) {
        throw error;
      }
      await new Promise(setImmediate);
    }
  }
}

async function many(times: number, atOnce: number, run: () => Promise<unknown>): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < times) {
      begun++;
      await run();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  await sleep(1);
}

function expectEqual(actual: number, expected: number, what: string): void {
  if (actual !== expected) {
    throw new Error(`${actual} ${what}, not ${expected}`);
  }
}
