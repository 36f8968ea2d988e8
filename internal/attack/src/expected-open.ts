// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** The cases that are known not to hold, and why: the defence that the runtime does not have. */
export const expectedOpen: ReadonlyMap<string, string> = new Map<string, string>();
