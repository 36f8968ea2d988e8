// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { AttackCase } from "./attack-case.js";
import { cableCases } from "./cases/cable-cases.js";
import { clientCases } from "./cases/client-cases.js";
import { connectionCases } from "./cases/connection-cases.js";
import { contentCases } from "./cases/content-cases.js";
import { flowCases } from "./cases/flow-cases.js";
import { framingCases } from "./cases/framing-cases.js";
import { handlerCases } from "./cases/handler-cases.js";
import { sequenceCases } from "./cases/sequence-cases.js";
import { streamCases } from "./cases/stream-cases.js";

/** All cases, by the number of their attack. */
export const attackCases: readonly AttackCase[] = [
  ...framingCases,
  ...sequenceCases,
  ...streamCases,
  ...flowCases,
  ...connectionCases,
  ...cableCases,
  ...contentCases,
  ...handlerCases,
  ...clientCases,
].sort((a, b) => a.attack - b.attack);
