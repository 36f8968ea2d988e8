// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Invoke } from "../session/invoke-intake.js";
import { Session } from "../session/session.js";
import {
  checkFlowControl,
  type FlowControlOptions,
  resolveSessionOptions,
  type SessionOptions,
  wholeNumber,
} from "../session/session-options.js";
import { announcementKey } from "../session/settings-exchange.js";
import type { StreamReceiver } from "../session/stream-host.js";
import { Code } from "../vocabulary/code.js";
import type { Connection, PeerInfo } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { MessageCompression } from "../vocabulary/message-compression.js";
import { object, objectWith, oneOf } from "../vocabulary/option-values.js";
import type { ErrorFormat } from "../wire/error-payload.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import { CallCompression, compressionKey } from "./call-compression.js";
import { CompressionSet } from "./compression-set.js";
import { Deadline, parseTimeout, timeoutKey } from "./deadline.js";
import { HandlerCall } from "./handler-call.js";
import { type RouteCall, type RouteOptions, RouteServer } from "./route-server.js";
import type { Router } from "./router.js";

const defaultIdleTimeoutMs = 1_800_000;

/** Options of a server. */
export interface ServeOptions extends SessionOptions, RouteOptions {
  /**
   * How long a connection may be without a call, in milliseconds, before it is
   * closed. A ts-drpc client connects again when it is needed; a Go client
   * with a connection of its own notices at its next call. Defaults to 1,800,000, half an hour.
   */
  readonly idleTimeoutMs?: number | undefined;

  /**
   * The flow control of CockroachDB's fork, for clients that have it switched
   * on. Defaults to none; between ts-drpc peers there is always flow control.
   */
  readonly flowControl?: FlowControlOptions | undefined;

  /**
   * How errors are sent: `drpc` for clients of storj.io/drpc, `grpc-status`
   * for those of CockroachDB's fork since September 2025, which understand
   * nothing else. Clients of ts-drpc understand both. Defaults to `drpc`.
   */
  readonly errorFormat?: ErrorFormat | undefined;

  /**
   * The compressions that callers may choose from, such as those of
   * `@ts-drpc/compression`. A call with any other is refused with
   * Unimplemented. A small body may then hold a message as large as
   * `maxMessageBytes`. Defaults to none.
   */
  readonly compressions?: readonly MessageCompression[] | undefined;
}

/** What closing a server, or one connection of it, did. */
export interface CloseReport {
  /** How many calls ended by themselves while it waited. */
  readonly drained: number;

  /** How many calls were under way when the time was over, and were aborted. */
  readonly aborted: number;
}

/** A connection that is being served. */
export interface ServedConnection {
  readonly peer: PeerInfo;

  /** Resolves when the connection is over, with the reason, if there is one. Never rejects. */
  readonly closed: Promise<DrpcError | undefined>;

  /**
   * Refuses new calls with Unavailable, waits for those under way, aborts
   * those that are left after `drainMs` milliseconds, and ends the connection.
   */
  close(options: { readonly drainMs: number }): Promise<CloseReport>;
}

/**
 * Serves the handlers of a router on a connection until it ends. Throws a
 * RangeError or TypeError that names the option if one has a wrong value.
 */
export function serveConnection(connection: Connection, router: Router, options: ServeOptions = {}): ServedConnection {
  objectWith("connection", connection, "a Connection", "start", "write", "close", "abort");
  objectWith("router", router, "a Router, as createRouter makes it", "find");
  return new RouterConnection(connection, router, options);
}

class RouterConnection implements ServedConnection {
  readonly closed: Promise<DrpcError | undefined>;
  readonly #session: Session;
  readonly #router: Router;
  readonly #routes: RouteServer;
  readonly #compressions: CompressionSet;
  readonly #release = (): void => this.#session.release();

  constructor(connection: Connection, router: Router, options: ServeOptions) {
    const limits = resolveSessionOptions(object("options", options));
    const errorFormat = checkErrorFormat(options.errorFormat ?? "drpc");
    this.#router = router;
    this.#routes = new RouteServer(options);
    this.#compressions = new CompressionSet(options.compressions ?? []);
    let ended: (error: DrpcError | undefined) => void = () => undefined;
    this.closed = new Promise((resolve) => {
      ended = resolve;
    });
    this.#session = new Session({
      role: "server",
      connection,
      limits,
      announces: false,
      errorFormat,
      flowControl: checkFlowControl(options.flowControl, limits),
      idleTimeoutMs: wholeNumber("idleTimeoutMs", options.idleTimeoutMs ?? defaultIdleTimeoutMs),
      compressions: this.#compressions.bits,
      listener: { invoked: (invoke) => this.#serve(invoke), ended: (error) => ended(error) },
    });
  }

  get peer(): PeerInfo {
    return this.#session.peer;
  }

  async close(options: { readonly drainMs: number }): Promise<CloseReport> {
    const { drainMs } = object("options", options);
    if (drainMs !== 0) {
      wholeNumber("drainMs", drainMs);
    }
    const reason = new DrpcError("the server is shutting down", Code.Unavailable, { notStarted: true });
    const before = this.#session.acceptedCount;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([this.#session.drain(reason), timeout]);
    clearTimeout(timer);
    // A handler that goes on although its call has ended is left behind too.
    const aborted = this.#session.acceptedCount;
    this.#session.close(new DrpcError("the server was shut down", Code.Unavailable));
    await this.closed;
    return { drained: before - aborted, aborted };
  }

  #serve(invoke: Invoke): void {
    const { announcement, deadline, compression: named, entries } = readHead(invoke.metadata);
    const route = this.#router.find(invoke.path);
    let refusal: DrpcError | undefined;
    let call: HandlerCall | undefined;
    const stream = this.#session.openAccepted(invoke, (opened) => {
      const accepted =
        route === undefined
          ? unknownPath(invoke.path)
          : this.#routes.accept(route, { peer: this.peer, metadata: entries, deadline, borrowed: true });
      refusal = accepted instanceof DrpcError ? accepted : this.#compressions.refusal(invoke.path, named);
      if (accepted instanceof DrpcError || refusal !== undefined) {
        return refusedReceiver(this.#release);
      }
      call = new HandlerCall(opened, this.#compressed(accepted, named), this.#release);
      return call.receiver;
    });
    if (announcement !== undefined) {
      this.#session.answerAnnouncement(announcement, stream);
    }
    if (refusal === undefined) {
      call?.begin();
    } else {
      stream.fail(refusal);
    }
  }

  #compressed(call: RouteCall, named: string | undefined): RouteCall {
    const compression = named === undefined ? undefined : this.#compressions.find(named);
    if (compression === undefined) {
      return call;
    }
    const { method } = call;
    return { ...call, method: new CallCompression(method.path, compression, this.#session).method(method) };
  }
}

const ownKeys = [announcementKey, timeoutKey, compressionKey];

function isForHandler([key]: readonly [string, string]): boolean {
  return !ownKeys.includes(key);
}

/** What the metadata of a call says to the runtime, and what is left of it for the handler. */
function readHead(metadata: MetadataEntries): {
  entries: MetadataEntries;
  deadline: Deadline | undefined;
  announcement: string | undefined;
  compression: string | undefined;
} {
  let entries = metadata;
  let deadline: Deadline | undefined;
  let announcement: string | undefined;
  let compression: string | undefined;
  for (const [key, value] of metadata) {
    if (key === announcementKey) {
      announcement = value;
    } else if (key === compressionKey) {
      compression = value;
    } else if (key === timeoutKey) {
      const timeoutMs = parseTimeout(value);
      deadline = timeoutMs === undefined ? undefined : new Deadline(timeoutMs);
    }
  }
  if (announcement !== undefined || deadline !== undefined || compression !== undefined) {
    entries = metadata.filter(isForHandler);
  }
  return { entries, deadline, announcement, compression };
}

/** Says that nothing serves a path. */
function unknownPath(path: string): DrpcError {
  // Go answers like this, and a client that wants to know must read the text, so it is the same here.
  return new DrpcError(`protocol error: unknown rpc: ${JSON.stringify(path)}`, Code.Unknown, { wireCode: 0n });
}

/** Receives nothing: the call has been refused. */
function refusedReceiver(over: () => void): StreamReceiver {
  return { wantsMessage: false, message() {}, end() {}, terminated: over };
}

/**
 * Throws a RangeError or TypeError that names the option if one has a wrong
 * value. For servers that are made before their first connection comes.
 */
export function checkServeOptions(options: ServeOptions): void {
  checkFlowControl(options.flowControl, resolveSessionOptions(object("options", options)));
  checkErrorFormat(options.errorFormat ?? "drpc");
  new RouteServer(options);
  new CompressionSet(options.compressions ?? []);
  wholeNumber("idleTimeoutMs", options.idleTimeoutMs ?? defaultIdleTimeoutMs);
}

/** Returns the value of the option `errorFormat`, if it is one. */
function checkErrorFormat(format: ErrorFormat): ErrorFormat {
  return oneOf("errorFormat", format, ["drpc", "grpc-status"]);
}
