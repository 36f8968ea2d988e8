// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// One process: the server or the client of one contender. It does what the driver says, one thing after the other.

import { loadContender } from "./contenders.js";
import type { Usage } from "./measurement.js";
import type { Command } from "./worker-process.js";
import { settingsOf } from "./workload.js";
import { WorkloadRunner } from "./workload-runner.js";

let runner: WorkloadRunner | undefined;

async function obey(command: Command): Promise<unknown> {
  switch (command.do) {
    case "serve":
      return (await loadContender(command.contender)).serve(settingsOf(command.workload));
    case "connect":
      runner = new WorkloadRunner(await loadContender(command.contender), command.port);
      return undefined;
    case "run":
      return runner?.run(command.workload, command.durationMs);
    case "usage":
      return usage();
    case "memory":
      globalThis.gc?.();
      return process.memoryUsage.rss() / 1_048_576;
  }
}

function usage(): Usage {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  return { cpuUs: userCPUTime + systemCPUTime, peakRssMb: maxRSS / 1_024 };
}

process.on("message", (command: Command) => {
  obey(command).then(
    (answer) => process.send?.({ answer }),
    (reason: unknown) => process.send?.({ failure: reason instanceof Error ? reason.stack : String(reason) }),
  );
});
// The driver is gone, whatever it died of.
process.once("disconnect", () => process.exit());
