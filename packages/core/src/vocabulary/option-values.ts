// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// What looks at the values of options, for those who write no TypeScript, or get options from elsewhere. Each function
// returns the value, or throws an error that names the option and shows the value.

/** Checks a value that must be an object, and no array. */
export function object<T>(name: string, value: T): T {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} must be an object, got ${show(value)}`);
  }
  return value;
}

/** Checks a value that must be a function. */
export function callable<T>(name: string, value: T): T {
  if (typeof value !== "function") {
    throw new TypeError(`${name} must be a function, got ${show(value)}`);
  }
  return value;
}

/** Checks a value that must be a function, if there is one. */
export function optionalCallable<T>(name: string, value: T): T {
  return value === undefined ? value : callable(name, value);
}

/** Checks a value that must be true or false. */
export function flag(name: string, value: boolean): boolean {
  if (typeof value !== "boolean") {
    throw new TypeError(`${name} must be true or false, got ${show(value)}`);
  }
  return value;
}

/** Checks a value that must be one of some texts. */
export function oneOf<T extends string>(name: string, value: T, values: readonly T[]): T {
  if (!values.includes(value)) {
    const shown = values.map((each) => JSON.stringify(each));
    const last = shown.pop();
    throw new RangeError(`${name} must be ${shown.join(", ")} or ${last}, got ${show(value)}`);
  }
  return value;
}

/** Checks a value that must be an object with these functions, and says what such an object is. */
export function objectWith<T>(name: string, value: T, what: string, ...functions: readonly string[]): T {
  const members = Object(value) as Record<string, unknown>;
  if (functions.some((each) => typeof members[each] !== "function")) {
    throw new TypeError(`${name} must be ${what}, got ${show(value)}`);
  }
  return value;
}

/** Shows a value: a text in quotes, so that "8080" and 8080 differ, and of objects only what they are. */
export function show(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return "an array";
  }
  return typeof value === "object" && value !== null
    ? "an object"
    : typeof value === "function"
      ? "a function"
      : String(value);
}
