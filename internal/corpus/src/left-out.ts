// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** A proto file of the corpus that is not compiled. */
export interface LeftOut {
  readonly path: string;
  readonly reason: string;
}

/**
 * Every file that is left out. They are protobuf's own test files, copied into the npm package without the files they
 * import, and none of them has a service.
 */
export const leftOut: readonly LeftOut[] = [
  {
    path: "google/protobuf/compiler/ruby/ruby_generated_code.proto",
    reason: "imports ruby_generated_code_proto2_import.proto by a path that is not in the package",
  },
  {
    path: "google/protobuf/compiler/ruby/ruby_generated_code_proto2.proto",
    reason: "imports ruby_generated_code_proto2_import.proto by a path that is not in the package",
  },
  {
    path: "google/protobuf/compiler/ruby/ruby_generated_pkg_explicit.proto",
    reason: "declares the same message as ruby_generated_pkg_explicit_legacy.proto",
  },
  {
    path: "google/protobuf/util/json_format_proto3.proto",
    reason: "imports google/protobuf/unittest.proto, which is not in the package",
  },
];
