// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

const logTests = join(import.meta.dirname, "../../../scripts/log-tests.mjs");

/** Runs test files, by name, as for a log. Returns the exit code and what was printed. */
function run(t: TestContext, files: Record<string, string>): { status: number | null; lines: string[] } {
  const place = mkdtempSync(join(tmpdir(), "ts-drpc-reporter-"));
  t.after(() => rmSync(place, { recursive: true }));
  for (const [name, code] of Object.entries(files)) {
    const imports =
      'import { after, before, describe, test } from "node:test"; import assert from "node:assert/strict";\n';
    writeFileSync(join(place, name), imports + code);
  }
  // Node runs no tests in a process that believes to be run by its test runner.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const names = Object.keys(files).filter((name) => name.endsWith(".test.mjs"));
  const options = { cwd: place, encoding: "utf8", env } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [logTests, ...names], options);
  assert.equal(stderr, "");
  return { status, lines: stdout.trimEnd().split("\n") };
}

/** Returns what was printed of a failure, up to the next. */
function told(lines: readonly string[], title: string): string {
  const from = lines.indexOf(`FAILED ${title}`);
  assert.ok(from >= 0, `${title} is not in ${lines.join("\n")}`);
  const length = lines.slice(from + 1).findIndex((line) => /^(FAILED |\d+ files: )/.test(line));
  return lines
    .slice(from + 1, from + 1 + length)
    .join("\n")
    .trimEnd();
}

test("a run that is well prints its files and the counts", (t) => {
  const { status, lines } = run(t, {
    "a.test.mjs": 'test("one", () => {}); describe("some", () => { test("two", () => {}); test.skip("three"); });',
    "b.test.mjs": 'test("four", async (t) => { await t.test("five", () => {}); }); test.todo("six");',
  });
  assert.equal(status, 0);
  assert.deepEqual(lines.slice(0, 2).sort(), ["a.test.mjs: 2 passed, 1 skipped", "b.test.mjs: 2 passed, 1 todo"]);
  assert.deepEqual(lines.slice(2), ["", "2 files: 4 passed, 1 skipped, 1 todo"]);
});

test("failures are told once each at the end, whole and by their names, behind all that passes", (t) => {
  const { status, lines } = run(t, {
    "a.test.mjs": `
      test("differs", () => assert.deepEqual({ sentence: "is" }, { sentence: "expected" }));
      describe("outer", () => describe("inner", () => test("throws", () => { throw new TypeError("thrown"); })));
      test("parent", (t) => t.test("child", () => { throw "no error"; }));
      test("hangs", () => new Promise(() => {}));`,
    "b.test.mjs": `
      describe("hook", () => { before(() => { throw new Error("of a hook"); }); test("not run", () => {}); });
      describe("last hook", () => { after(() => { throw new Error("of a last hook"); }); test("was run", () => {}); });`,
    "c.test.mjs": 'import { shared } from "./shared.mjs"; test("passes", () => {}); shared();',
    "shared.mjs": 'export const shared = () => test("shared", () => { throw new Error("by c"); });',
  });
  assert.equal(status, 1);
  const titles = [
    "a.test.mjs: differs",
    "a.test.mjs: outer > inner > throws",
    "a.test.mjs: parent > child",
    "a.test.mjs: hangs",
    "b.test.mjs: hook > not run",
    "b.test.mjs: hook",
    "b.test.mjs: last hook",
    "c.test.mjs: shared",
  ];
  const ends = lines.slice(-titles.length - 1);
  assert.equal(ends[0], "3 files: 2 passed, 8 failed");
  assert.deepEqual(ends.slice(1).sort(), titles.map((title) => `FAILED ${title}`).sort());
  assert.equal(lines.filter((line) => line.startsWith("FAILED")).length, 2 * titles.length);
  const [differs, throws, child, hangs, notRun, hook, lastHook] = titles.map((title) => told(lines, title));
  assert.match(
    differs ?? "",
    /^ {2}AssertionError.*\n.*actual - expected[\s\S]*"?is"?[\s\S]*expected[\s\S]*a\.test\.mjs:3:/,
  );
  assert.match(throws ?? "", /^ {2}TypeError.*: thrown\n.*a\.test\.mjs:4:/);
  assert.equal(child, "  no error");
  assert.equal(hangs, "  Promise resolution is still pending but the event loop has already resolved");
  assert.equal(notRun, "  test did not finish before its parent and was cancelled");
  assert.match(hook ?? "", /^ {2}failed running before hook\n {2}Error: of a hook\n.*b\.test\.mjs:3:/);
  assert.match(lastHook ?? "", /^ {2}failed running after hook\n {2}Error: of a last hook\n.*b\.test\.mjs:4:/);
});

test("a file that fails outside of its tests is told with how it ended and what it wrote", (t) => {
  const { status, lines } = run(t, {
    "a.test.mjs": 'test("registered", () => {}); throw new RangeError("at import");',
    "b.test.mjs": 'test("leaves", () => { Promise.reject(new Error("nobody handles this")); });',
    "c.test.mjs": 'test("ends", () => process.kill(process.pid, "SIGKILL"));',
    "d.test.mjs": 'test("passes", () => {});',
  });
  assert.equal(status, 1);
  assert.match(
    told(lines, "a.test.mjs"),
    /^ {2}its process ended with exit code \d+\n[\s\S]*\n {2}RangeError: at import\n.*a\.test\.mjs:2:/,
  );
  assert.match(told(lines, "b.test.mjs"), /ended with exit code 1\n.*Test "leaves".*nobody handles this/);
  assert.equal(told(lines, "c.test.mjs"), "  its process was killed by SIGKILL");
  assert.equal(lines.at(-4), "4 files: 2 passed, 3 failed");
  assert.deepEqual(lines.slice(-3).sort(), ["FAILED a.test.mjs", "FAILED b.test.mjs", "FAILED c.test.mjs"]);
});
