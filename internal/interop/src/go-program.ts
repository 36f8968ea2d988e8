// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** The implementations of DRPC in Go that can be had as modules. Each has a module here with a `main` of its own. */
export const goPeers = ["storj", "cockroach"] as const;

/** Those, and CockroachDB's fork since it multiplexes, for whoever has a module proxy that serves it. */
export type GoPeer = (typeof goPeers)[number] | "cockroach-mux";

/** Returns the version of Go, or undefined if there is none. */
export function goVersion(): string | undefined {
  try {
    return execFileSync("go", ["version"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/** Builds the program of a peer. */
export function buildGoProgram(peer: (typeof goPeers)[number]): void {
  goBuild(peer, []);
}

/** Builds the program of the fork that multiplexes, with this version of its module. */
export function buildMuxProgram(version: string): void {
  // Go writes to it what the fork requires.
  const mod = `${root}bin/cockroach-mux.mod`;
  mkdirSync(`${root}bin`, { recursive: true });
  writeFileSync(
    mod,
    `${readFileSync(`${root}cockroach-mux/go.mod`, "utf8")}\nreplace storj.io/drpc => github.com/cockroachdb/drpc ${version}\n`,
  );
  goBuild("cockroach-mux", ["-mod=mod", `-modfile=${mod}`]);
}

function goBuild(peer: GoPeer, flags: readonly string[]): void {
  execFileSync("go", ["build", "-buildvcs=false", ...flags, "-o", `../bin/${peer}`, "."], {
    cwd: `${root}${peer}`,
    stdio: ["ignore", "inherit", "inherit"],
    // The checksum database knows no version of the fork. What it is to be is in go.sum.
    env: { ...process.env, GONOSUMDB: "github.com/cockroachdb/drpc" },
  });
}

type Reply = { readonly id?: number; readonly event?: string } & Readonly<Record<string, unknown>>;

/** A running Go program, to which commands and replies go as JSON lines. */
export class GoProgram {
  readonly #child: ChildProcess;
  readonly #replies = new Map<number, (reply: Reply) => void>();
  readonly #events: Reply[] = [];
  readonly #waiting: { readonly event: string; readonly resolve: (reply: Reply) => void }[] = [];
  readonly #exited: Promise<unknown>;
  #lastId = 0;
  #log = "";

  constructor(peer: GoPeer, ...args: readonly string[]) {
    this.#child = spawn(`${root}bin/${peer}`, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#exited = once(this.#child, "exit");
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) {
      throw new Error("the program has no pipes");
    }
    stdin.on("error", () => undefined);
    createInterface({ input: stdout }).on("line", (line) => this.#reply(JSON.parse(line) as Reply));
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
    });
  }

  /** Sends a command, and resolves with the reply to it. */
  ask(command: object): Promise<Reply> {
    this.#lastId++;
    const id = this.#lastId;
    this.#child.stdin?.write(`${JSON.stringify({ id, ...command })}\n`);
    return new Promise((resolve) => this.#replies.set(id, resolve));
  }

  /** Resolves with the next event of a name. */
  async event(event: string): Promise<Reply> {
    const at = this.#events.findIndex((each) => each.event === event);
    const [came] = at < 0 ? [] : this.#events.splice(at, 1);
    return came ?? new Promise((resolve) => this.#waiting.push({ event, resolve }));
  }

  /** What the program logged since it was taken last. */
  get log(): string {
    return this.#log;
  }

  /** Returns what the program logged since it was last asked. */
  takeLog(): string {
    const log = this.#log;
    this.#log = "";
    return log;
  }

  /** Ends the program as a crash would. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Ends the program in good order. */
  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }

  #reply(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#replies.get(reply.id)?.(reply);
      this.#replies.delete(reply.id);
      return;
    }
    const at = this.#waiting.findIndex(({ event }) => event === reply.event);
    const [waiting] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (waiting === undefined) {
      this.#events.push(reply);
    } else {
      waiting.resolve(reply);
    }
  }
}

/** A Go server, and where it listens. */
export interface GoServer {
  readonly program: GoProgram;
  readonly port: number;

  /** How many connections it has accepted. */
  connections(): Promise<number>;
}

/** Starts a Go server. */
export async function startGoServer(peer: GoPeer, ...args: readonly string[]): Promise<GoServer> {
  const program = new GoProgram(peer, "-serve", ...args);
  const { port } = await program.event("listening");
  return {
    program,
    port: port as number,
    connections: async () => (await program.ask({}))["connections"] as number,
  };
}

/** What a Go client is told to do. What is missing is 0, false or empty. */
export interface GoCall {
  readonly conn?: string;
  readonly softCancel?: boolean;
  readonly closeConn?: boolean;
  readonly rpc?: string;
  readonly unary?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly sends?: number;
  readonly text?: string;
  readonly n?: number;
  readonly size?: number;
  readonly keepOpen?: boolean;
  readonly cancelAfter?: number;
  readonly timeoutMs?: number;
}

/** What came of a Go client's call. */
export interface GoResult {
  readonly received: number;
  readonly text: string;
  readonly size: number;
  readonly n: string;
  readonly intact: boolean;
  readonly inOrder: boolean;
  readonly failed: boolean;
  readonly code: string;
  readonly error: string;
  readonly sendError: string;
  readonly closed: boolean;
}

/** A Go client. */
export class GoClient {
  readonly program: GoProgram;

  constructor(peer: GoPeer, port: number, ...args: readonly string[]) {
    this.program = new GoProgram(peer, "-call", `127.0.0.1:${port}`, ...args);
  }

  /** Makes a call of a method that is not all unary. */
  stream(method: string, call: GoCall = {}): Promise<GoResult> {
    return this.#call({ rpc: `/gopeer.v1.Echo/${method}`, ...call });
  }

  /** Makes a call with one message in either direction. */
  unary(method: string, call: GoCall = {}): Promise<GoResult> {
    return this.stream(method, { unary: true, ...call });
  }

  /** Closes a connection. */
  close(conn: string): Promise<GoResult> {
    return this.#call({ conn, closeConn: true });
  }

  async #call(call: GoCall): Promise<GoResult> {
    return (await this.program.ask(call)) as unknown as GoResult;
  }
}
