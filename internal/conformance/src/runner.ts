// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Way } from "./ways.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const module = "connectrpc.com/conformance";
const timeoutMs = 120_000;

/** What came of a run. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly excluded: number;
}

/** The runner of connectrpc/conformance, built from its Go module. */
export class Runner {
  /** The version of the module. */
  readonly version: string;
  readonly #moduleDirectory: string;

  /** Builds the runner. Throws what `go` says if it cannot. */
  constructor() {
    go("build", "-buildvcs=false", "-o", "../bin/connectconformance", `${module}/cmd/connectconformance`);
    const [version, directory] = go("list", "-m", "-f", "{{.Version}} {{.Dir}}", module).trim().split(" ");
    if (version === undefined || directory === undefined) {
      throw new Error(`go does not know the module ${module}`);
    }
    this.version = version;
    this.#moduleDirectory = directory;
  }

  /** Throws if the .proto files here are not those of the runner. */
  checkProtos(): void {
    const directory = "proto/connectrpc/conformance/v1";
    for (const name of readdirSync(join(root, directory))) {
      const path = join(directory, name);
      if (readFileSync(join(root, path), "utf8") !== readFileSync(join(this.#moduleDirectory, path), "utf8")) {
        throw new Error(`${path} differs from that of ${module} ${this.version}: copy that, and run npm run generate`);
      }
    }
  }

  /** Runs the suite in one way, and resolves with what came of it. What the runner says goes to the console. */
  async run(way: Way): Promise<Counts> {
    const excluded = `config/${way.config}.excluded.txt`;
    const options = [
      "-v",
      ...(way.mode === "server" ? ["--parallel", "8", "--max-servers", "2"] : []),
      ...["--mode", way.mode, "--conf", `config/${way.config}.yaml`],
      ...(existsSync(join(root, excluded)) ? ["--skip", `@${excluded}`] : []),
      ...(way.suites ?? []).flatMap((name) => ["--test-file", this.#withoutMode(name)]),
    ];
    const client = program("client", way);
    const server = program("server", way);
    const commands = { client, server, both: [...client, "----", ...server] }[way.mode];
    const child = spawn(join(root, "bin/connectconformance"), [...options, "--", ...commands], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      timeout: timeoutMs,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      process.stdout.write(text);
      output += text;
    });
    const [code] = await once(child, "close");
    const counts = countsIn(output);
    if (code !== 0 && counts.failed === 0) {
      throw new Error(`${way.name}: the runner ended with ${code}`);
    }
    return counts;
  }

  /** Returns a copy of a suite that the runner takes in every mode. */
  #withoutMode(name: string): string {
    const suite = join(this.#moduleDirectory, "internal/app/connectconformance/testsuites/data", name);
    const copy = join("bin", name);
    mkdirSync(join(root, "bin"), { recursive: true });
    writeFileSync(join(root, copy), readFileSync(suite, "utf8").replace(/^mode: .*\n/m, ""));
    return copy;
  }
}

function program(side: "client" | "server", { protocol }: Way): string[] {
  return [process.execPath, ...process.execArgv, `src/${side}-program.ts`, protocol];
}

function countsIn(output: string): Counts {
  const found = (pattern: RegExp): number => Number(pattern.exec(output)?.[1]);
  const computed = found(/^Computed (\d+) test case permutation/m);
  const passed = found(/^(\d+) passed, \d+ failed$/m);
  const failed = found(/^\d+ passed, (\d+) failed$/m);
  if (Number.isNaN(computed + passed + failed)) {
    throw new Error("the runner did not say how many cases passed");
  }
  return { passed, failed, excluded: computed - passed - failed };
}

function go(...command: readonly string[]): string {
  return execFileSync("go", command, {
    cwd: join(root, "runner"),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}
