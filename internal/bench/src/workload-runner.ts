// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { runBeside } from "./beside.js";
import { bodyOf, checkSize } from "./body.js";
import { type BenchClient, type Contender, type StreamingClient, withStreams } from "./contender.js";
import { Latencies } from "./latencies.js";
import type { ClientRound } from "./measurement.js";
import { settingsOf, type Workload } from "./workload.js";

/** How many connections or streams are being opened at a time, when many are to be idle. */
const openingAtOnce = 64;

/** Runs rounds of one workload against one server. Connections stay open from round to round. */
export class WorkloadRunner {
  readonly #contender: Contender;
  readonly #port: number;
  readonly #clients: BenchClient[] = [];

  constructor(contender: Contender, port: number) {
    this.#contender = contender;
    this.#port = port;
  }

  /** Runs one round, for about that long. */
  async run(workload: Workload, durationMs: number): Promise<ClientRound> {
    switch (workload.kind) {
      case "unary":
        return this.#unary(workload, durationMs);
      case "receive":
        return this.#receive(workload, durationMs);
      case "send":
        return this.#send(workload, durationMs);
      case "ping-pong":
        return this.#pingPong(workload, durationMs);
      case "first-call":
        return this.#firstCall(workload, durationMs);
      case "beside":
        return runBeside(this.#client(0, workload), workload, durationMs);
      case "idle":
        return this.#idle(workload);
    }
  }

  #connect(workload: Workload): BenchClient {
    return this.#contender.connect(this.#port, settingsOf(workload));
  }

  #client(index: number, workload: Workload): BenchClient {
    this.#clients[index] ??= this.#connect(workload);
    return this.#clients[index];
  }

  async #unary(workload: Workload & { kind: "unary" }, durationMs: number): Promise<ClientRound> {
    const client = this.#client(0, workload);
    const body = bodyOf(workload.bodyBytes);
    const latencies = new Latencies();
    const end = performance.now() + durationMs;
    const callInTurn = async (): Promise<void> => {
      let now = performance.now();
      while (now < end) {
        checkSize(await client.echo(body), body);
        now = latencies.record(now);
      }
    };
    await Promise.all(Array.from({ length: workload.inFlight }, callInTurn));
    return latencies.round();
  }

  async #receive(workload: Workload & { kind: "receive" | "send" }, durationMs: number): Promise<ClientRound> {
    const client = withStreams(this.#client(0, workload));
    const latencies = new Latencies();
    let last = performance.now();
    const end = last + durationMs;
    await client.receive(workload.bodyBytes, () => {
      last = latencies.record(last);
      return last < end;
    });
    return latencies.round();
  }

  async #send(workload: Workload & { kind: "receive" | "send" }, durationMs: number): Promise<ClientRound> {
    const client = withStreams(this.#client(0, workload));
    const body = bodyOf(workload.bodyBytes);
    const latencies = new Latencies();
    const start = performance.now();
    let last = start;
    const calls = await client.send(() => {
      last = latencies.record(last);
      return last - start < durationMs ? body : undefined;
    });
    // What counts is what has arrived, and when all of it had.
    return { ...latencies.round(), calls, elapsedMs: performance.now() - start };
  }

  async #pingPong(workload: Workload & { kind: "ping-pong" }, durationMs: number): Promise<ClientRound> {
    const body = bodyOf(workload.bodyBytes);
    const latencies = new Latencies();
    const end = performance.now() + durationMs;
    const streams = Array.from({ length: workload.streams }, async (_, index) => {
      const client = withStreams(this.#client(index % workload.connections, workload));
      let last = performance.now();
      await client.pingPong(body, (size) => {
        checkSize(size, body);
        last = latencies.record(last);
        return last < end;
      });
    });
    await Promise.all(streams);
    return latencies.round();
  }

  async #firstCall(workload: Workload & { kind: "first-call" }, durationMs: number): Promise<ClientRound> {
    const body = bodyOf(workload.bodyBytes);
    const latencies = new Latencies();
    const end = performance.now() + durationMs;
    for (let now = performance.now(); now < end; now = performance.now()) {
      const client = this.#connect(workload);
      await client.echo(body);
      latencies.record(now);
      await client.close();
    }
    return latencies.round();
  }

  async #idle(workload: Workload & { kind: "idle" }): Promise<ClientRound> {
    const body = bodyOf(16);
    const latencies = new Latencies();
    const opening = this.#openings(workload);
    const openInTurn = async (): Promise<void> => {
      for (const client of opening) {
        const start = performance.now();
        await (workload.streamsEach === 0 ? client.echo(body) : openIdleStream(withStreams(client), body));
        latencies.record(start);
      }
    };
    await Promise.all(Array.from({ length: openingAtOnce }, openInTurn));
    return latencies.round();
  }

  /** Yields the client for each connection, or stream, that is to be idle. */
  *#openings(workload: Workload & { kind: "idle" }): Generator<BenchClient> {
    for (let index = 0; index < workload.connections; index++) {
      const client = this.#connect(workload);
      this.#clients.push(client);
      for (let count = 0; count < Math.max(1, workload.streamsEach); count++) {
        yield client;
      }
    }
  }
}

/** Opens a stream that is answered once, and then stays as it is. */
function openIdleStream(client: StreamingClient, body: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const forEver = new Promise<boolean>(() => undefined);
    const answered = (): Promise<boolean> => {
      resolve();
      return forEver;
    };
    client.pingPong(body, answered).then(() => reject(new Error("a stream ended that was to be idle")), reject);
  });
}
