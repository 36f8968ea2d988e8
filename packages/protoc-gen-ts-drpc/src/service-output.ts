// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescService } from "@bufbuild/protobuf";
import type { GeneratedFile, Target } from "@bufbuild/protoplugin";
import type { Names } from "./names.js";

/** What is printed, and where to: one service, in one file, for one target. */
export interface ServiceOutput {
  readonly f: GeneratedFile;
  readonly target: Target;
  readonly service: DescService;
  readonly names: Names;
}
