// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Answers the commands of the process that started this one. A program that is not asked any more ends. */
export function answerCommands(commands: Readonly<Record<string, (argument: never) => unknown>>): void {
  process.on("message", ({ id, command, argument }: { id: number; command: string; argument: never }) => {
    void answer(commands[command], argument).then((reply) => process.send?.({ id, ...reply }));
  });
  process.on("disconnect", () => process.exit());
}

async function answer(
  command: ((argument: never) => unknown) | undefined,
  argument: never,
): Promise<{ result?: unknown; error?: string }> {
  try {
    if (command === undefined) {
      throw new Error("there is no such command");
    }
    return { result: await command(argument) };
  } catch (reason) {
    return { error: reason instanceof Error ? (reason.stack ?? reason.message) : String(reason) };
  }
}
