// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/** Returns the value of an option that is a time, if it is a whole number of milliseconds that timers take. */
export function milliseconds(name: string, value: number, lowest: 0 | 1 = 1): number {
  if (!Number.isInteger(value) || value < lowest || value > 0x7fff_ffff) {
    throw new RangeError(
      `${name} must be a whole number of milliseconds from ${lowest} to 2147483647, got ${show(value)}`,
    );
  }
  return value;
}

/** Returns the value of an option that is a count, if it is a whole number above zero. */
export function wholeNumber(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} must be a whole number above zero, got ${show(value)}`);
  }
  return value;
}

/** Returns the value of the option `port`, if it is one. 0, where it is allowed, stands for any that is free. */
export function port(value: unknown, lowest: 0 | 1): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < lowest || value > 65_535) {
    throw new RangeError(`port must be a whole number from ${lowest} to 65535, got ${show(value)}`);
  }
  return value;
}

/** Returns the value of an option that is a function, if it is one. */
export function callable<T>(name: string, value: T): T {
  if (typeof value !== "function") {
    throw new TypeError(`${name} must be a function, got ${show(value)}`);
  }
  return value;
}

/** Returns the value of an option that is an object, if it is one. */
export function object<T>(name: string, value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object, got ${show(value)}`);
  }
  return value;
}

/** Shows a wrong value: a text in quotes, so that "8080" and 8080 differ. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : Array.isArray(value) ? "an array" : String(value);
}
