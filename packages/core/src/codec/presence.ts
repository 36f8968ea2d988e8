// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { DescField } from "@bufbuild/protobuf";
import type { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

// The numbers, so that no application carries the descriptor of descriptors for them.
const implicit = 2 satisfies FeatureSet_FieldPresence.IMPLICIT;
const legacyRequired = 3 satisfies FeatureSet_FieldPresence.LEGACY_REQUIRED;

/** Whether a field that has its zero value counts as not set. */
export function hasImplicitPresence(field: DescField): boolean {
  return field.presence === implicit;
}

/** Whether a message without the field must not be sent. It is taken if it comes, as protobuf-es takes it. */
export function isRequired(field: DescField): boolean {
  return field.presence === legacyRequired;
}
