// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

export { minlz } from "./minlz.js";
export { snappy } from "./snappy.js";
