// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// A reporter of Node's test runner for logs: prints a line for each file, and at the end all that is known of each failure,
// then the counts and the names of the failures, so that the last lines of a log that was cut off tell what is wrong.

import { relative } from "node:path";
import { inspect } from "node:util";

/** How many of the last lines that a file wrote to stderr are shown when the file itself fails. */
const maxStderrLines = 200;

export default async function* report(events) {
  const counts = { passed: 0, failed: 0, skipped: 0, todo: 0 };
  const failures = [];
  const stderr = new Map();
  const files = new Set();
  /** The names of the test that is reported and of those around it, by nesting. */
  const names = [];
  /** What Node said of the file that is reported, in no test's name: what it knows of errors after a test's end. */
  let diagnostics = [];
  let current;

  for await (const { type, data } of events) {
    if (type === "test:stdout" || type === "test:stderr") {
      yield data.message;
      if (type === "test:stderr") {
        stderr.set(data.file, [...(stderr.get(data.file) ?? []), data.message].slice(-maxStderrLines));
      }
    } else if (type === "test:diagnostic") {
      diagnostics.push(data.message);
    } else if (type === "test:start") {
      names.splice(data.nesting, Number.POSITIVE_INFINITY, data.name);
      if (data.file !== current) {
        current = data.file;
        diagnostics = [];
        if (!files.has(current)) {
          files.add(current);
          yield `${shown(current)}\n`;
        }
      }
    } else if (type === "test:pass" || type === "test:fail") {
      const outcome = outcomeOf(type, data);
      if (outcome !== undefined) {
        counts[outcome]++;
      }
      if (outcome === "failed") {
        const isFile = data.name === data.file;
        const { error } = data.details;
        failures.push({
          title: isFile ? shown(data.file) : `${shown(data.file)}: ${names.slice(0, data.nesting + 1).join(" > ")}`,
          text: isFile
            ? [fileError(error), ...diagnostics, (stderr.get(data.file) ?? []).join("").trimEnd()].join("\n").trimEnd()
            : testError(error),
        });
      }
    }
  }

  for (const { title, text } of failures) {
    yield `\nFAILED ${title}\n${text.replace(/^(?=.)/gm, "  ")}\n`;
  }
  const counted = Object.entries(counts).filter(([outcome, count]) => count > 0 || outcome === "failed");
  yield `\n${files.size} ${files.size === 1 ? "file" : "files"}: ${counted.map(([outcome, count]) => `${count} ${outcome}`).join(", ")}\n`;
  for (const { title } of failures) {
    yield `FAILED ${title}\n`;
  }
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

function shown(file) {
  return relative(process.cwd(), file);
}
