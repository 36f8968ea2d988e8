// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { type ContractServer, contractServer } from "./contract-handler.js";
export type { CloseReport, ContractPair, ServerControl } from "./contract-pair.js";
export { transportContract } from "./transport-contract.js";
