// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { sessionTargets } from "./session-targets.js";
import type { FuzzTarget } from "./target.js";
import { wireTargets } from "./wire-targets.js";

/** All that reads bytes of a peer. */
export const fuzzTargets: readonly FuzzTarget[] = [...wireTargets, ...sessionTargets];
