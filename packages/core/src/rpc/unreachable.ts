// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Code } from "../vocabulary/code.js";
import { DrpcError } from "../vocabulary/drpc-error.js";

// An error is read by people, who do not read a hundred reasons.
const maxShownErrors = 5;

/** Says of an error that no handler ran. */
export function asNotStarted(error: DrpcError): DrpcError {
  return error.notStarted
    ? error
    : new DrpcError(error.rawMessage, error.code, { cause: error.cause, details: error.details, notStarted: true });
}

/** Says that a transport makes no more calls, and of a call that it was not begun, or else was ended. */
export function transportClosed(notStarted: boolean): DrpcError {
  const text = "the transport was closed, and makes no more calls: create another one for them";
  return new DrpcError(text, Code.Canceled, { notStarted });
}

/** Says of an error which method's call it ends, if it does not say so already. */
export function ofMethod(path: string, error: DrpcError): DrpcError {
  const { rawMessage, code, cause, wireCode, details, notStarted } = error;
  return rawMessage.startsWith(path)
    ? error
    : new DrpcError(`${path}: ${rawMessage}`, code, { cause, wireCode, details, notStarted });
}

/** Makes one error of those of all addresses of a service. */
export function noneReachable(errors: readonly DrpcError[]): DrpcError {
  if (errors.length === 0) {
    return new DrpcError("there is no connection", Code.Unavailable, { notStarted: true });
  }
  if (errors[0] !== undefined && errors.length === 1) {
    return errors[0];
  }
  const shown = errors.slice(0, maxShownErrors).map(({ rawMessage }) => rawMessage);
  const more = errors.length > maxShownErrors ? `; and ${errors.length - maxShownErrors} more` : "";
  return new DrpcError(`none of the addresses can be used: ${shown.join("; ")}${more}`, Code.Unavailable, {
    cause: new AggregateError(errors),
    notStarted: true,
  });
}

/** Makes the error for a call that does not wait while nothing can be reached. */
export function pauseError(error: DrpcError, retryAt: number | undefined): DrpcError {
  if (retryAt === undefined) {
    return asNotStarted(error);
  }
  const inMs = Math.max(0, retryAt - Date.now());
  const text = `${error.rawMessage}; the next attempt is in ${inMs} ms, and waitForReady waits for it`;
  return new DrpcError(text, error.code, { cause: error, notStarted: true });
}
