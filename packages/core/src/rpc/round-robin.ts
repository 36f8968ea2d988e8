// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DrpcError } from "../vocabulary/drpc-error.js";
import { Attempts } from "./attempts.js";
import { resolveTargets } from "./resolve-targets.js";
import { SessionPool, type SessionPoolOptions } from "./session-pool.js";
import type { SessionSource, Waiter } from "./session-source.js";
import type { Target, TargetResolver } from "./target.js";
import type { TransportState } from "./transport-state.js";
import { noneReachable, pauseError, transportClosed } from "./unreachable.js";

/** How to make a {@link RoundRobin}. */
export interface RoundRobinInit {
  readonly options: SessionPoolOptions;
  readonly resolver: TargetResolver;

  /** The state is perhaps another one. */
  readonly stateChanged: (state: TransportState) => void;
}

/** A target in use. */
interface Member {
  readonly address: string;
  readonly pool: SessionPool;
  state: TransportState;
}

// Many addresses may fail at about the same time, and their resolver need not be asked for each.
const resolveIntervalMs = 1_000;

/**
 * RoundRobin has a pool for each target, and lets calls go round those that
 * are connected. The others connect in their own time. Calls wait here for the
 * first that is, and for a place in a pool only if all are full.
 */
export class RoundRobin implements SessionSource {
  readonly #init: RoundRobinInit;
  readonly #resolution: Attempts<readonly Target[]>;
  readonly #waiters = new Set<Waiter>();
  /** Pools of targets that there are no more, until their calls have ended. */
  readonly #retired = new Set<SessionPool>();
  #members: readonly Member[] = [];
  #next = 0;
  #held = false;
  #resolvedAt = Number.NEGATIVE_INFINITY;
  #closed: DrpcError | undefined;
  readonly #served: (() => void)[] = [];

  constructor(init: RoundRobinInit) {
    this.#init = init;
    this.#resolution = new Attempts({
      attempt: (signal) => resolveTargets(init.resolver, signal),
      backoff: init.options.backoff,
      succeeded: (targets) => this.#resolved(targets),
      failed: () => this.#changed(),
      resumed: () => this.#resolve(),
    });
  }

  submit(waiter: Waiter): void {
    if (this.#closed !== undefined) {
      waiter.fail(this.#closed);
    } else {
      this.#place(waiter);
    }
  }

  withdraw(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    for (const { pool } of this.#members) {
      pool.withdraw(waiter);
    }
    for (const pool of this.#retired) {
      pool.withdraw(waiter);
    }
    this.#waitersChanged();
  }

  async close(drainMs: number): Promise<void> {
    const closed = transportClosed(true);
    const start = performance.now();
    this.#closed ??= closed;
    this.#tellState();
    if (this.#waiters.size > 0 && this.#connecting) {
      await this.#allServed(drainMs);
    }
    this.#failWaiters(closed, true);
    this.#resolution.close();
    const leftMs = Math.max(0, drainMs - (performance.now() - start));
    const pools = [...this.#members.map(({ pool }) => pool), ...this.#retired];
    await Promise.all(pools.map((pool) => pool.close(leftMs)));
  }

  /** Gives a call to the next pool, or lets it wait for one, or fail. */
  #place(waiter: Waiter): void {
    if (this.#start(waiter)) {
      return;
    }
    if (this.#members.length === 0 && this.#resolution.underway === 0 && !this.#resolution.pausing) {
      this.#resolve();
    }
    const waits = waiter.waitForReady && this.#init.options.backoff !== undefined && this.#closed === undefined;
    if (waits || this.#connecting) {
      this.#waiters.add(waiter);
      this.#waitersChanged();
    } else {
      waiter.fail(this.#unreachable());
    }
  }

  #start(waiter: Waiter): boolean {
    const members = this.#members;
    let full: SessionPool | undefined;
    for (let offset = 0; offset < members.length; offset++) {
      const index = (this.#next + offset) % members.length;
      const { pool } = members[index] as Member;
      if (!pool.ready) {
        pool.connect();
      } else if (pool.start(waiter)) {
        this.#next = index + 1;
        return true;
      } else {
        full ??= pool;
      }
    }
    this.#next++;
    full?.submit(waiter);
    return full !== undefined;
  }

  /** True if there is perhaps a connection soon. */
  get #connecting(): boolean {
    return (
      this.#resolution.underway > 0 ||
      this.#members.some(({ state: { connectivity } }) => connectivity === "connecting" || connectivity === "ready")
    );
  }

  #resolve(): void {
    this.#resolvedAt = Date.now();
    this.#resolution.make();
    this.#tellState();
  }

  #resolved(targets: readonly Target[]): void {
    this.#resolution.proved();
    if (this.#closed === undefined || this.#waiters.size > 0) {
      this.#use(targets);
    }
    this.#changed();
  }

  /** Makes pools for new targets, and takes no more calls on those of targets that are no more. */
  #use(targets: readonly Target[]): void {
    const left = new Map(this.#members.map((member) => [member.address, member]));
    this.#members = targets.map((target) => {
      const member = left.get(target.address) ?? this.#add(target);
      left.delete(target.address);
      return member;
    });
    for (const { pool } of left.values()) {
      this.#retired.add(pool);
      void pool.close(Number.POSITIVE_INFINITY).then(() => this.#retired.delete(pool));
    }
    for (const { pool } of this.#members) {
      pool.connect();
    }
  }

  #add({ address, dial }: Target): Member {
    const member: Member = {
      address,
      pool: new SessionPool({
        options: this.#init.options,
        dial,
        stateChanged: (state) => this.#memberChanged(member, state),
        stranded: (waiter) => this.#place(waiter),
      }),
      state: { connectivity: "idle" },
    };
    member.pool.hold(this.#waiters.size > 0);
    return member;
  }

  #memberChanged(member: Member, state: TransportState): void {
    const before = member.state.connectivity;
    member.state = state;
    const lost = before === "ready" && state.connectivity !== "ready";
    const failed = before !== "transientFailure" && state.connectivity === "transientFailure";
    // The service may have moved.
    const soon = Date.now() - this.#resolvedAt < resolveIntervalMs || this.#resolution.underway > 0;
    if ((lost || failed) && !soon && this.#resolution.retryAt === undefined && this.#closed === undefined) {
      this.#resolve();
    }
    this.#changed();
  }

  /** Serves the waiting calls if there is a connection now, and fails them if there is none to be expected. */
  #changed(): void {
    if (this.#members.some(({ pool }) => pool.ready)) {
      for (const waiter of [...this.#waiters]) {
        this.#waiters.delete(waiter);
        this.#place(waiter);
      }
    } else if (this.#waiters.size > 0 && !this.#connecting) {
      this.#failWaiters(this.#unreachable(), this.#closed !== undefined || this.#init.options.backoff === undefined);
    }
    this.#waitersChanged();
    this.#tellState();
  }

  #failWaiters(error: DrpcError, all: boolean): void {
    for (const waiter of [...this.#waiters]) {
      if (all || !waiter.waitForReady) {
        this.#waiters.delete(waiter);
        waiter.fail(error);
      }
    }
    this.#waitersChanged();
  }

  /** Keeps the process as long as calls wait, and goes on with what waits for them. */
  #waitersChanged(): void {
    const held = this.#waiters.size > 0;
    if (held !== this.#held) {
      this.#held = held;
      this.#resolution.hold(held);
      for (const { pool } of this.#members) {
        pool.hold(held);
      }
    }
    if (!held) {
      for (const served of this.#served.splice(0)) {
        served();
      }
    }
  }

  #allServed(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#served.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #unreachable(): DrpcError {
    const errors = this.#members.flatMap(({ state: { error } }) => (error === undefined ? [] : [error]));
    if (this.#resolution.error !== undefined) {
      errors.push(this.#resolution.error);
    }
    return pauseError(noneReachable(errors), this.#retryAt);
  }

  get #retryAt(): number | undefined {
    const times = [this.#resolution.retryAt, ...this.#members.map(({ state }) => state.retryAt)];
    const known = times.filter((time) => time !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  #tellState(): void {
    const { stateChanged } = this.#init;
    const states = this.#members.map(({ state }) => state);
    const ready = states.find(({ connectivity }) => connectivity === "ready");
    const error = states.find((state) => state.error !== undefined)?.error ?? this.#resolution.error;
    const last = { address: states.find(({ address }) => address !== undefined)?.address, error };
    if (this.#closed !== undefined) {
      stateChanged({ ...last, connectivity: "shutdown" });
    } else if (ready !== undefined) {
      stateChanged(ready);
    } else if (this.#connecting) {
      stateChanged({ ...last, connectivity: "connecting" });
    } else if (error === undefined || states.some(({ connectivity }) => connectivity === "idle")) {
      stateChanged({ ...last, connectivity: "idle" });
    } else {
      stateChanged({ ...last, connectivity: "transientFailure", retryAt: this.#retryAt });
    }
  }
}
