// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Runs the test files that it is given, two at a time, and prints what a log should have: a line for each file, and at the
// end all that is known of each failure, then the counts and the names of the failures, so that the last lines of a log that
// was cut off tell what is wrong. Files are run one by one, as Node does not tell whose an event is: only where in the code the
// test stands, which for tests that several files share is another file.

import { relative, resolve } from "node:path";
import { run } from "node:test";
import { inspect } from "node:util";

const concurrency = 2;

/** How many of the last lines that a file wrote to stderr are shown when the file itself fails. */
const maxStderrLines = 200;

const files = process.argv.slice(2);
const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
const failures = [];

const waiting = files[Symbol.iterator]();
await Promise.all(
  Array.from({ length: concurrency }, async () => {
    for (const file of waiting) {
      await runFile(resolve(file));
    }
  }),
);

for (const { title, text } of failures) {
  console.log(`\nFAILED ${title}\n${text.replace(/^(?=.)/gm, "  ")}`);
}
console.log(`\n${files.length} ${files.length === 1 ? "file" : "files"}: ${shownCounts(counts)}`);
for (const { title } of failures) {
  console.log(`FAILED ${title}`);
}
process.exitCode = failures.length === 0 ? 0 : 1;

/** Runs a file, and keeps what came of it. */
async function runFile(file) {
  const path = relative(process.cwd(), file);
  const ofFile = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  /** The names of the test that is reported and of those around it, by nesting. */
  const names = [];
  /** What Node says in no test's name: what it knows of errors after a test's end. */
  const diagnostics = [];
  const stderr = [];
  for await (const { type, data } of run({ files: [file], concurrency: 1 })) {
    if (type === "test:stdout" || type === "test:stderr") {
      process.stdout.write(data.message);
      if (type === "test:stderr") {
        stderr.push(data.message);
        stderr.splice(0, stderr.length - maxStderrLines);
      }
    } else if (type === "test:diagnostic") {
      diagnostics.push(data.message);
    } else if (type === "test:start") {
      names.splice(data.nesting, Number.POSITIVE_INFINITY, data.name);
    } else if (type === "test:pass" || type === "test:fail") {
      const outcome = outcomeOf(type, data);
      if (outcome !== undefined) {
        ofFile[outcome]++;
        counts[outcome]++;
      }
      if (outcome === "failed" && data.name === file) {
        const text = [fileError(data.details.error), ...diagnostics, stderr.join("")].join("\n").trimEnd();
        failures.push({ title: path, text });
      } else if (outcome === "failed") {
        const title = `${path}: ${names.slice(0, data.nesting + 1).join(" > ")}`;
        failures.push({ title, text: testError(data.details.error) });
      }
    }
  }
  console.log(`${path}: ${shownCounts(ofFile)}`);
}

/** Tells what a test counts as, or undefined if its parts tell it: a suite, or a test whose subtests failed. */
function outcomeOf(type, { details, skip, todo }) {
  if (skip !== undefined) {
    return "skipped";
  }
  if (todo !== undefined) {
    return "todo";
  }
  if (type === "test:fail") {
    return details.error.failureType === "subtestsFailed" ? undefined : "failed";
  }
  return details.type === "suite" ? undefined : "passed";
}

/** Shows what a test failed with: the error that was thrown, of which Node's own is but a wrapping. */
function testError({ failureType, message, cause }) {
  const thrown = typeof cause === "string" ? cause : inspect(cause, { depth: 5 });
  return failureType === "hookFailed" ? `${message}\n${thrown}` : thrown;
}

/** Shows what a whole file failed with: how its process ended. What it said itself is in what it wrote. */
function fileError({ exitCode, signal }) {
  return signal ? `its process was killed by ${signal}` : `its process ended with exit code ${exitCode}`;
}

function shownCounts(each) {
  const shown = Object.entries(each).filter(([outcome, count]) => count > 0 || outcome === "passed");
  return shown.map(([outcome, count]) => `${count} ${outcome}`).join(", ");
}
