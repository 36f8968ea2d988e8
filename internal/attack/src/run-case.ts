// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createNodeTransport } from "@ts-drpc/node";
import { createEchoServiceClient } from "@ts-drpc-internal/fixtures";
import { type AttackCase, defaultBound } from "./attack-case.js";
import { expectedOpen } from "./expected-open.js";
import { echoPaths, Field, type Paths, type Target } from "./harness/field.js";
import { GoodClient } from "./harness/good-client.js";
import type { LoadReport } from "./harness/good-client-process.js";
import { forgetResidentPeak, type MemoryReport, residentPeakMiB } from "./harness/process-memory.js";
import { until } from "./harness/until.js";
import { Victim } from "./harness/victim.js";
import { userKey } from "./harness/victim-handler.js";

/** What came of a case. */
export interface CaseReport {
  readonly attackCase: AttackCase;

  /**
   * `holds`; `open` for what is known not to hold; `failed`; `closed` for what is known not to hold, and does; `skipped` for
   * what cannot be run on this machine.
   */
  readonly status: "holds" | "open" | "failed" | "closed" | "skipped";

  /** What was seen, what does not hold, or what is missing. */
  readonly remark: string;
  readonly peak?: Partial<MemoryReport> | undefined;
  readonly alone?: LoadReport;
  readonly attacked?: LoadReport;
  readonly tookMs: number;
}

/** How to run cases. */
export interface RunnerOptions {
  readonly quick: boolean;

  /** A server that is running already. Defaults to one of ours. */
  readonly outside?: OutsideServer | undefined;
}

/** A server of which only the address is known, and what it can be called for. */
export interface OutsideServer {
  readonly target: Target;
  readonly paths: Paths;

  /** Its process, if its memory is to be measured, on Linux. */
  readonly pid?: number | undefined;
}

const goodConnections = 1;

/** Runs cases, one at a time. In the quick form those that want the same server share it. */
export class CaseRunner implements AsyncDisposable {
  readonly #options: RunnerOptions;
  readonly #victims = new Map<string, Victim>();
  readonly #goodClient = new GoodClient();

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Runs a case. Never rejects because of what the server does. */
  async run(attackCase: AttackCase): Promise<CaseReport> {
    const start = performance.now();
    const missing = attackCase.missing?.();
    if (missing !== undefined) {
      return { attackCase, status: "skipped", remark: missing, tookMs: 0 };
    }
    const { quick, outside } = this.#options;
    const victim = outside === undefined ? await this.#victim(attackCase) : undefined;
    const target = outside?.target ?? { host: "127.0.0.1", port: victim?.port ?? 0 };
    await this.#goodClient.start({ ...target, path: outside?.paths.unary });
    if (outside === undefined) {
      await this.#goodClient.report();
    }
    await sleep(quick ? 30 : 2_000);
    const alone = await this.#goodClient.report();
    if (outside !== undefined && alone.calls === 0) {
      await this.#goodClient.stop();
      const remark = `the server did not answer before it was attacked: ${alone.failures.join("; ")}`;
      return { attackCase, status: "failed", remark, alone, tookMs: performance.now() - start };
    }
    await victim?.reset();
    if (outside?.pid !== undefined) {
      forgetResidentPeak(outside.pid);
    }
    let remark: string;
    let failure: string | undefined;
    let peak: MemoryReport | undefined;
    try {
      await using field = new Field(target, outside?.paths ?? echoPaths, quick, victim);
      remark = await attackCase.run(field);
      peak = await victim?.peak();
    } catch (reason) {
      remark = reason instanceof Error ? reason.message.slice(0, 1_000) : String(reason);
      if (victim === undefined) {
        // What a server of somebody else answers is its own affair.
        remark = `not as with ours: ${remark}`;
      } else {
        failure = remark;
      }
      peak = await victim?.peak().catch(() => undefined);
    }
    const attacked = await this.#reportOfCalls();
    failure ??= await this.#findHarm(attackCase, victim, target, peak, attacked);
    await this.#goodClient.stop();
    await this.#dismiss(attackCase, victim, failure !== undefined);
    const status = judge(attackCase, failure);
    const tookMs = performance.now() - start;
    const rssMiB = outside?.pid === undefined ? undefined : residentPeakMiB(outside.pid);
    const measured = rssMiB === undefined ? peak : { rssMiB };
    return { attackCase, status, remark: failure ?? remark, peak: measured, alone, attacked, tookMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#goodClient[Symbol.asyncDispose]();
    for (const victim of this.#victims.values()) {
      await victim[Symbol.asyncDispose]();
    }
  }

  /** Resolves with what came of the good client's calls, once there were any: an attack may be over between two of them. */
  async #reportOfCalls(): Promise<LoadReport> {
    let report = await this.#goodClient.report();
    const cameToSomething = async (): Promise<boolean> => {
      if (report.calls === 0 && report.failures.length === 0) {
        report = await this.#goodClient.report();
      }
      return report.calls > 0 || report.failures.length > 0;
    };
    await until("a call of the good client comes to something", cameToSomething).catch(() => undefined);
    return report;
  }

  /** What must hold whatever the attack is. Returns what does not. */
  async #findHarm(
    { bound = defaultBound }: AttackCase,
    victim: Victim | undefined,
    target: Target,
    peak: MemoryReport | undefined,
    attacked: LoadReport,
  ): Promise<string | undefined> {
    try {
      assert.deepEqual(attacked.failures, [], "calls of the good client failed");
      assert.ok(attacked.calls > 0, "the good client was not served");
      if (victim === undefined) {
        return undefined;
      }
      assert.ok(victim.alive, `the process ended\n${victim.log}`);
      await victim.release();
      let left = 0;
      const nobodyLeft = async (): Promise<boolean> => {
        left = (await victim.journal()).connections;
        return left <= goodConnections;
      };
      await until("all connections of the attacker end", nobodyLeft, { timeoutMs: 5_000 }).catch(() => {
        assert.fail(`${left - goodConnections} connections stay for ever, though the attacker is gone`);
      });
      const { unhandled } = await victim.journal();
      assert.deepEqual(unhandled, [], "errors were not handled");
      await using transport = createNodeTransport(target);
      const { sentence } = await createEchoServiceClient(transport).say(
        { sentence: "still" },
        { metadata: { [userKey]: "good" }, timeoutMs: 10_000 },
      );
      assert.equal(sentence, "still");
      assert.ok(peak !== undefined, "memory was not measured");
      const { heapMiB, rssMiB } = peak;
      assert.ok(heapMiB <= bound.heapMiB, `the heap took ${heapMiB.toFixed()} MiB, the bound is ${bound.heapMiB}`);
      assert.ok(rssMiB <= bound.rssMiB, `${rssMiB.toFixed()} MiB were resident, the bound is ${bound.rssMiB}`);
      return undefined;
    } catch (reason) {
      return reason instanceof Error ? reason.message : String(reason);
    }
  }

  async #victim(attackCase: AttackCase): Promise<Victim> {
    const key = victimKey(attackCase);
    const found = this.#victims.get(key);
    const victim = found ?? (await Victim.start(attackCase.victim, attackCase.maxOpenFiles));
    this.#victims.set(key, victim);
    return victim;
  }

  /** Ends a server that nobody attacks any more, and one that an attack may have left in a bad way. */
  async #dismiss(attackCase: AttackCase, victim: Victim | undefined, harmed: boolean): Promise<void> {
    if (victim === undefined) {
      return;
    }
    if (this.#options.quick && !harmed && victim.alive) {
      return;
    }
    this.#victims.delete(victimKey(attackCase));
    await victim[Symbol.asyncDispose]();
  }
}

function judge({ name }: AttackCase, failure: string | undefined): CaseReport["status"] {
  if (expectedOpen.has(name)) {
    return failure === undefined ? "closed" : "open";
  }
  return failure === undefined ? "holds" : "failed";
}

function victimKey({ victim, maxOpenFiles }: AttackCase): string {
  return JSON.stringify([victim, maxOpenFiles]);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
