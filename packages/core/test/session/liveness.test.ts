// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import {
  createRouter,
  createSessionTransport,
  type DrpcError,
  type ServedConnection,
  serveConnection,
} from "@ts-drpc/core";
import { createConnectionPair, createFaultyConnection } from "@ts-drpc/core/testing";
import { createEchoServiceClient, EchoHandler, registerEchoService } from "@ts-drpc-internal/fixtures";
import { Liveness } from "../../src/session/liveness.js";
import { resolveSessionOptions, type SessionOptions } from "../../src/session/session-options.js";

class FakeHost {
  readonly reader = { activity: 0, paused: false };
  readonly writer = { progress: 0, busy: false, idle: true };
  readonly address = "10.0.0.1:7";
  readonly events: string[] = [];
  readonly incompleteBefore: number[] = [];
  hasCalls = true;
  answers = true;

  busy = (): boolean => this.hasCalls;

  ping = (): boolean => {
    if (this.answers) {
      this.events.push("ping");
    }
    return this.answers;
  };

  probe = (): void => {
    this.events.push("probe");
  };

  dead = (error: DrpcError): void => {
    this.events.push(`dead ${error.code} ${error.rawMessage}`);
  };

  idle = (): void => {
    this.events.push("idle");
  };

  endIncomplete = (beforeTick: number): void => {
    this.incompleteBefore.push(beforeTick);
  };
}

interface Setup {
  readonly host: FakeHost;
  readonly liveness: Liveness;

  /** Lets time pass, in small steps, and does something before each. */
  pass(ms: number, each?: () => void): void;
}

function setup(t: TestContext, options: SessionOptions = {}, idleTimeoutMs?: number): Setup {
  // Without jitter a look comes every 500 ms, half of keepaliveMs.
  t.mock.method(Math, "random", () => 0);
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const host = new FakeHost();
  const limits = { keepaliveMs: 1_000, keepaliveTimeoutMs: 400, stallTimeoutMs: 8_000, messageTimeoutMs: 8_000 };
  const liveness = new Liveness(host, resolveSessionOptions({ ...limits, ...options }), idleTimeoutMs);
  t.after(() => liveness.end());
  return {
    host,
    liveness,
    pass(ms, each = () => undefined) {
      for (let passed = 0; passed < ms; passed += 10) {
        each();
        t.mock.timers.tick(10);
      }
    },
  };
}

const dead = "dead 14 the peer 10.0.0.1:7 gave no sign of life within keepaliveTimeoutMs, 400 ms";

describe("a peer that is silent", () => {
  test("is asked within keepaliveMs while there are calls, and given up keepaliveTimeoutMs later", (t) => {
    const { host, pass } = setup(t);
    pass(1_000);
    assert.deepEqual(host.events, ["ping"]);
    pass(410);
    assert.deepEqual(host.events.slice(0, 2), ["ping", dead]);
  });

  test("is not asked before it has been silent for a whole look", (t) => {
    const { host, pass } = setup(t);
    pass(5_000, () => host.reader.activity++);
    assert.deepEqual(host.events, []);
  });

  test("lives by any byte that comes in time, and is asked again when it is silent again", (t) => {
    const { host, pass } = setup(t);
    pass(1_000);
    host.reader.activity++;
    pass(410);
    assert.deepEqual(host.events, ["ping"]);
    pass(600);
    assert.deepEqual(host.events, ["ping", "ping"]);
  });

  test("is waited for as long as it takes what lies before the question, as over a slow line", (t) => {
    const { host, pass } = setup(t);
    host.writer.busy = true;
    let ms = 0;
    pass(10_000, () => {
      ms += 10;
      if (ms % 300 === 0) {
        host.writer.progress++;
      }
    });
    assert.deepEqual(host.events, ["ping"]);
    pass(1_000);
    assert.deepEqual(host.events.slice(0, 2), ["ping", dead]);
  });

  test("has keepaliveTimeoutMs from when it took the last of what lay before the question", (t) => {
    const { host, pass } = setup(t);
    host.writer.busy = true;
    pass(1_300);
    host.writer.progress++;
    host.writer.busy = false;
    pass(400);
    assert.deepEqual(host.events, ["ping"]);
    pass(410);
    assert.deepEqual(host.events.slice(0, 2), ["ping", dead]);
  });

  test("is given up in time whatever is sent behind the question, as that is taken by this machine only", (t) => {
    const { host, pass } = setup(t);
    pass(1_000);
    pass(410, () => {
      host.writer.busy = !host.writer.busy;
      host.writer.progress++;
    });
    assert.deepEqual(host.events.slice(0, 2), ["ping", dead]);
  });

  test("is left alone while there is no call", (t) => {
    const { host, pass } = setup(t);
    host.hasCalls = false;
    pass(60_000);
    assert.deepEqual(host.events, []);
    host.hasCalls = true;
    pass(600);
    assert.deepEqual(host.events, ["ping"]);
  });

  test("is not given up if it is not known to answer", (t) => {
    const { host, pass } = setup(t);
    host.answers = false;
    pass(60_000);
    assert.deepEqual(host.events, []);
  });

  test("is not judged while nothing is read, but sent something, which fails if it is gone", (t) => {
    const { host, pass } = setup(t);
    host.reader.paused = true;
    pass(60_000);
    assert.deepEqual(new Set(host.events), new Set(["probe"]));
    host.reader.paused = false;
    host.events.length = 0;
    pass(700);
    host.reader.paused = true;
    pass(60_000);
    assert.deepEqual(new Set(host.events), new Set(["ping", "probe"]));
  });

  test("is sent nothing more while something is being sent, which fails too", (t) => {
    const { host, pass } = setup(t);
    host.reader.paused = true;
    host.writer.idle = false;
    pass(60_000);
    assert.deepEqual(host.events, []);
  });

  test("is left alone while nothing is read and there is no call", (t) => {
    const { host, pass } = setup(t);
    host.reader.paused = true;
    host.hasCalls = false;
    pass(60_000);
    assert.deepEqual(host.events, []);
  });

  test("is not judged before what came meanwhile was read, if this process was busy for longer", (t) => {
    const { host, pass } = setup(t);
    pass(1_000);
    // Timers go off before sockets are read.
    t.mock.timers.tick(400);
    host.reader.activity++;
    pass(100);
    assert.deepEqual(
      host.events.filter((event) => event !== "ping"),
      [],
    );
  });
});

describe("a peer that takes nothing", () => {
  test("is given up after stallTimeoutMs, with an error that names it", (t) => {
    const { host, pass } = setup(t);
    host.answers = false;
    host.writer.busy = true;
    pass(8_000);
    assert.deepEqual(host.events, []);
    pass(3_000);
    assert.equal(host.events[0], "dead 14 the peer 10.0.0.1:7 took nothing for stallTimeoutMs, 8000 ms");
  });

  test("is not given up as long as it takes a little, nor while nothing waits", (t) => {
    const { host, pass } = setup(t);
    host.answers = false;
    host.writer.busy = true;
    let ms = 0;
    pass(60_000, () => {
      ms += 10;
      if (ms % 6_000 === 0) {
        host.writer.progress++;
      }
    });
    host.writer.busy = false;
    pass(60_000);
    assert.deepEqual(host.events, []);
  });
});

describe("a connection without calls", () => {
  test("is idle after idleTimeoutMs, counted from the last call", (t) => {
    const { host, pass } = setup(t, {}, 5_000);
    host.answers = false;
    pass(20_000);
    assert.deepEqual(host.events, []);
    host.hasCalls = false;
    pass(4_000);
    host.hasCalls = true;
    pass(1_500);
    host.hasCalls = false;
    pass(4_000);
    assert.deepEqual(host.events, []);
    pass(2_500);
    assert.equal(host.events[0], "idle");
  });

  test("stays for ever without an idleTimeoutMs", (t) => {
    const { host, pass } = setup(t);
    host.hasCalls = false;
    pass(100_000);
    assert.deepEqual(host.events, []);
  });
});

describe("what began at a tick", () => {
  test("is too old after messageTimeoutMs, and a quarter later at most", (t) => {
    const { host, liveness, pass } = setup(t);
    const began = liveness.ticks;
    pass(7_990);
    assert.ok(began >= (host.incompleteBefore.at(-1) as number));
    pass(2_010);
    assert.ok(began < (host.incompleteBefore.at(-1) as number));
  });

  test("does not grow older while nothing is read, as its rest may lie unread", (t) => {
    const { host, liveness, pass } = setup(t);
    const began = liveness.ticks;
    host.reader.paused = true;
    pass(60_000);
    host.reader.paused = false;
    pass(6_000);
    assert.ok(host.incompleteBefore.every((before) => began >= before));
    pass(4_000);
    assert.ok(began < (host.incompleteBefore.at(-1) as number));
  });
});

test("a message comes through a line so slow that the question behind it takes longer than keepaliveTimeoutMs", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const options = { keepaliveMs: 100, keepaliveTimeoutMs: 100 };
  const router = createRouter();
  registerEchoService(router, new EchoHandler());
  const served: ServedConnection[] = [];
  const transport = createSessionTransport(async () => {
    const pair = createConnectionPair();
    // The other side does not ask, as its question would be a sign of life.
    served.push(serveConnection(pair.server, router));
    return createFaultyConnection(pair.client, { sent: { latencyMs: 90 } });
  }, options);
  const client = createEchoServiceClient(transport);
  let settled = false;
  const work = async (): Promise<void> => {
    await client.say({ sentence: "first" });
    const attachment = new Uint8Array(3 * 1024 * 1024);
    const response = await client.say({ sentence: "large", attachment });
    assert.equal(response.attachment.length, attachment.length);
    await transport.close();
    await Promise.all(served.map(({ closed }) => closed));
  };
  const worked = work().finally(() => {
    settled = true;
  });
  worked.catch(() => undefined);
  for (let passed = 0; !settled && passed < 60_000; passed += 5) {
    t.mock.timers.tick(5);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await worked;
});

test("nothing is looked at any more, and no timer is left, after the end", (t) => {
  const { host, liveness, pass } = setup(t, {}, 5_000);
  pass(1_000);
  liveness.end();
  host.hasCalls = false;
  host.writer.busy = true;
  pass(60_000);
  assert.deepEqual(host.events, ["ping"]);
});
