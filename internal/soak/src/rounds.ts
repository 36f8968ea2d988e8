// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Outcome } from "./judge.js";
import type { LinkKind } from "./link.js";
import { type RoundResult, runRound } from "./round.js";
import { type Scenario, scenarios } from "./scenario.js";

/** What a round of a soak is: the same number gives the same round. */
export interface RoundChoice {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly link: LinkKind;
}

/** What came of all rounds of one scenario over one kind of connection. */
export interface Tally {
  readonly scenario: string;
  readonly link: LinkKind;
  rounds: number;
  connections: number;
  readonly outcomes: Map<Outcome, number>;
  problems: number;
}

const links: readonly LinkKind[] = ["memory", "TCP"];

/** How many rounds it takes until each scenario was run over each kind of connection. */
export const turnOfRounds: number = scenarios.length * links.length;

/** Chooses a round by its seed alone, so that the seed is enough to run it again. */
export function chooseRound(seed: number): RoundChoice {
  const index = seed % turnOfRounds;
  return {
    seed,
    scenario: scenarios[index % scenarios.length] as Scenario,
    link: links[Math.floor(index / scenarios.length)] as LinkKind,
  };
}

/** Runs a round, counts what came of it, and returns what is not as it must be, with what it takes to run it again. */
export async function runChosen(
  choice: RoundChoice,
  tallies: Map<string, Tally>,
  size: { readonly calls: number; readonly spreadMs: number },
): Promise<string[]> {
  const { seed, scenario, link } = choice;
  const result = await runRound({ ...choice, ...size });
  const key = `${scenario.name}, ${link}`;
  const tally = tallies.get(key) ?? newTally(choice);
  tallies.set(key, tally);
  count(tally, result);
  return result.problems.map((problem) => `seed ${seed}: ${scenario.name}, over ${link}: ${problem}`);
}

function newTally({ scenario, link }: RoundChoice): Tally {
  return { scenario: scenario.name, link, rounds: 0, connections: 0, outcomes: new Map(), problems: 0 };
}

function count(tally: Tally, { outcomes, connections, problems }: RoundResult): void {
  tally.rounds++;
  tally.connections += connections;
  tally.problems += problems.length;
  for (const [outcome, calls] of outcomes) {
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + calls);
  }
}
