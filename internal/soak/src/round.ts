// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";
import {
  type Connection,
  createRouter,
  createSessionTransport,
  type SessionOptions,
  type Transport,
} from "@ts-drpc/core";
import { createFaultyConnection } from "@ts-drpc/core/testing";
import { createEchoServiceClient, registerEchoService } from "@ts-drpc-internal/fixtures";
import { planCall } from "./call-plan.js";
import { Choices } from "./choices.js";
import { Journal } from "./journal.js";
import { judge, type Outcome } from "./judge.js";
import { type Link, type LinkKind, openLink } from "./link.js";
import { makeCall } from "./planned-call.js";
import { PlannedHandler, SecretError } from "./planned-handler.js";
import type { Scenario } from "./scenario.js";

/** What to do in a round. */
export interface RoundOptions {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly link: LinkKind;
  readonly calls: number;

  /** How long it takes until all calls have begun, in milliseconds. */
  readonly spreadMs: number;
}

/** What came of a round. */
export interface RoundResult {
  readonly outcomes: ReadonlyMap<Outcome, number>;
  readonly connections: number;

  /** What is not as it must be, with the plan of the call if it is about one. */
  readonly problems: readonly string[];
}

// All calls of a round end by themselves long before. On a slow machine they may take much longer than their plans say.
const hangMs = 60_000;
const settleMs = 20_000;

/** Runs calls as their plans say while things go wrong, and checks what became of them. */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { seed, scenario, spreadMs } = options;
  const choices = new Choices(seed);
  const limits = { spreadMs, needsDeadline: scenario.needsDeadline, maxBytes: scenario.maxBytes };
  const plans = Array.from({ length: options.calls }, (_, id) => planCall(id, choices, limits));
  const journal = new Journal(plans);
  const watch = watchProcess(journal);
  const router = createRouter();
  registerEchoService(router, new PlannedHandler(journal));
  const sides = { client: sessionOptions(choices), server: sessionOptions(choices) };
  const onError = (reason: unknown): void => {
    if (!(reason instanceof SecretError) && !scenario.damages) {
      journal.wrong.push(`a handler failed with ${String(reason)}`);
    }
  };
  const link = await openLink(options.link, router, { ...sides.server, onError });
  let dials = 0;
  const faults = new Choices(seed + 1);
  const transport = createSessionTransport(
    async () => {
      dials++;
      return watched(createFaultyConnection(await link.dial(), scenario.faults(faults)), journal, scenario);
    },
    { ...sides.client, peer: choices.of("auto", "auto", "multiplexed") },
  );
  const client = createEchoServiceClient(transport);
  const calls = Promise.all([...journal.calls.values()].map((record) => makeCall(client, record)));
  const closing = scenario.closes ? closeMeanwhile(link, transport, journal, choices, spreadMs) : Promise.resolve();
  if (!(await within(hangMs, Promise.all([calls, closing])))) {
    const hanging = [...journal.calls.values()].filter(({ endedAt }) => endedAt === undefined);
    journal.wrong.push(`calls hang: ${hanging.map((record) => `\n  ${JSON.stringify(record)}`).join("")}`);
  }
  await endRound(journal, link, transport);
  watch.end();
  return { ...conclude(journal, scenario), connections: dials };
}

async function endRound(journal: Journal, link: Link, transport: Transport): Promise<void> {
  const records = [...journal.calls.values()];
  journal.transportClosedAt ??= performance.now();
  const closed = within(settleMs, Promise.all([transport.close({ drainMs: 0 }), link.close()]));
  if (!(await closed)) {
    journal.wrong.push("the transport, or the server, is not closed");
  }
  if (!(await until(settleMs, () => records.every((each) => each.handlersSettled === each.handlerCalls)))) {
    journal.wrong.push("handlers have not settled");
  }
  if (!(await until(settleMs, () => link.served.size === 0))) {
    journal.wrong.push("connections are still served");
  }
}

function conclude(journal: Journal, scenario: Scenario): Pick<RoundResult, "outcomes" | "problems"> {
  const outcomes = new Map<Outcome, number>();
  const problems = [...journal.wrong];
  for (const record of journal.calls.values()) {
    const { outcome, wrong } = judge(record, journal, scenario);
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    if (wrong.length > 0) {
      const { plan, error, ...rest } = record;
      problems.push(
        `${wrong.join("; ")}\n  plan ${JSON.stringify(plan)}\n  record ${JSON.stringify(rest)}\n  ${error}`,
      );
    }
  }
  return { outcomes, problems };
}

/** Limits that are small enough to matter, and the defaults. */
function sessionOptions(choices: Choices): SessionOptions {
  return {
    keepaliveMs: 1_000,
    keepaliveTimeoutMs: 2_000,
    stallTimeoutMs: 3_000,
    messageTimeoutMs: 10_000,
    windowBytes: choices.of(undefined, undefined, 1_000, 50_000),
    maxUnsentBytes: choices.of(undefined, undefined, 1, 10_000),
    maxConcurrentStreams: choices.of(undefined, 1_000),
  };
}

/** Closes the server's connections once or twice, and perhaps the transport. */
async function closeMeanwhile(
  link: Link,
  transport: Transport,
  journal: Journal,
  choices: Choices,
  spreadMs: number,
): Promise<void> {
  for (let times = choices.between(1, 3); times > 0; times--) {
    await sleep(choices.between(0, spreadMs));
    journal.connectionEnds.push(performance.now());
    const drainMs = choices.of(0, 5, 100, 1_000);
    await Promise.all([...link.served].map((served) => served.close({ drainMs })));
    journal.connectionEnds.push(performance.now());
  }
  if (choices.percent(30)) {
    journal.transportClosedAt = performance.now();
    await transport.close({ drainMs: choices.of(0, 5, 100) });
  }
}

/** Notes the end of a connection, and complains if it is not to end. */
function watched(connection: Connection, journal: Journal, scenario: Scenario): Connection {
  let closedHere = false;
  const close = connection.close.bind(connection);
  connection.close = () => {
    closedHere = true;
    close();
  };
  const start = connection.start.bind(connection);
  connection.start = (receiver) =>
    start({
      data: (chunk) => receiver.data(chunk),
      writable: () => receiver.writable(),
      end(reason) {
        // A transport that waited long for its peer's settings makes a second connection, and closes the one that it then
        // has no use for. No call may fail for that.
        const isSpare = closedHere && !scenario.endsConnections;
        if (!isSpare) {
          journal.connectionEnds.push(performance.now());
        }
        if (!isSpare && !scenario.endsConnections && journal.transportClosedAt === undefined) {
          journal.wrong.push(`a connection ended while nothing was wrong with it: ${String(reason)}`);
        }
        receiver.end(reason);
      },
    });
  return connection;
}

function watchProcess(journal: Journal): { end(): void } {
  const note = (reason: unknown): void => {
    journal.wrong.push(`nobody handled ${reason instanceof Error ? reason.stack : String(reason)}`);
  };
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  process.on("warning", note);
  return {
    end() {
      process.off("unhandledRejection", note);
      process.off("uncaughtException", note);
      process.off("warning", note);
    },
  };
}

async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const controller = new AbortController();
  const timeout = sleep(ms, false, { signal: controller.signal }).catch(() => false);
  const done = await Promise.race([work.then(() => true), timeout]);
  controller.abort();
  return done;
}

async function until(ms: number, met: () => boolean): Promise<boolean> {
  const start = performance.now();
  while (!met()) {
    if (performance.now() - start > ms) {
      return false;
    }
    await sleep(5);
  }
  return true;
}
