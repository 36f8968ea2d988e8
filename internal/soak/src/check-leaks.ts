// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Runs the leak checks in this process, which was started with --expose-gc, and prints a report of each as a line of JSON.

import { checkLeaks, leakChecks } from "./leak-checks.js";

const size = process.argv[2] === "full" ? "full" : "quick";
for (const check of leakChecks) {
  for (const link of ["memory", "TCP"] as const) {
    console.log(JSON.stringify(await checkLeaks(check, link, check.times[size])));
  }
}
