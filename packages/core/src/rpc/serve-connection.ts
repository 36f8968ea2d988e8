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
import type { Stream } from "../session/stream.js";
import type { StreamReceiver } from "../session/stream-host.js";
import { Code } from "../vocabulary/code.js";
import type { Connection, PeerInfo } from "../vocabulary/connection.js";
import { DrpcError } from "../vocabulary/drpc-error.js";
import type { MessageCompression } from "../vocabulary/message-compression.js";
import type { ErrorFormat } from "../wire/error-payload.js";
import type { MetadataEntries } from "../wire/metadata-payload.js";
import { CallCompression, compressionKey } from "./call-compression.js";
import { CompressionSet } from "./compression-set.js";
import { Deadline, parseTimeout, timeoutKey } from "./deadline.js";
import { askGate, type Gate } from "./gate.js";
import type { HandlerContext } from "./handler.js";
import { HandlerCall } from "./handler-call.js";
import { interceptServe } from "./intercepted-serve.js";
import { checkInterceptors, type Interceptor } from "./interceptor.js";
import type { Method } from "./method.js";
import type { Route, Router, Serve } from "./router.js";
import { ServerContext } from "./server-context.js";

const defaultIdleTimeoutMs = 1_800_000;

/** Options of a server. */
export interface ServeOptions extends SessionOptions {
  /** Wraps every call. The first is the outermost. Defaults to none. */
  readonly interceptors?: readonly Interceptor[] | undefined;

  /**
   * Is told what handlers threw that is not a DrpcError, as their callers are
   * only told that the handler failed. Defaults to `console.error`.
   */
  readonly onError?: ((reason: unknown, context: HandlerContext) => void) | undefined;

  /**
   * Decides on each call before any byte of its messages is stored. Defaults
   * to letting all calls through.
   */
  readonly gate?: Gate | undefined;

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

/** Serves the handlers of a router on a connection until it ends. */
export function serveConnection(connection: Connection, router: Router, options: ServeOptions = {}): ServedConnection {
  return new RouterConnection(connection, router, options);
}

class RouterConnection implements ServedConnection {
  readonly closed: Promise<DrpcError | undefined>;
  readonly #session: Session;
  readonly #router: Router;
  readonly #interceptors: readonly Interceptor[];
  readonly #onError: (reason: unknown, context: HandlerContext) => void;
  readonly #gate: Gate | undefined;
  readonly #compressions: CompressionSet;

  constructor(connection: Connection, router: Router, options: ServeOptions) {
    const limits = resolveSessionOptions(options);
    const errorFormat = checkErrorFormat(options.errorFormat ?? "drpc");
    this.#router = router;
    this.#interceptors = checkInterceptors(options.interceptors ?? []);
    this.#compressions = new CompressionSet(options.compressions ?? []);
    this.#onError = guarded(options.onError ?? logError);
    this.#gate = checkGate(options.gate);
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

  async close({ drainMs }: { readonly drainMs: number }): Promise<CloseReport> {
    const reason = new DrpcError("the server is shutting down", Code.Unavailable, { notStarted: true });
    const before = this.#session.acceptedCount;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainMs);
    });
    await Promise.race([this.#session.drain(reason), timeout]);
    clearTimeout(timer);
    const aborted = this.#session.streamCount;
    this.#session.close(new DrpcError("the server was shut down", Code.Unavailable));
    await this.closed;
    return { drained: before - aborted, aborted };
  }

  #serve(invoke: Invoke): void {
    const { announcement, deadline, compression: named, entries } = readHead(invoke.metadata);
    const route = this.#router.find(invoke.path);
    let refusal = route?.serve === undefined ? notServed(invoke.path, route) : undefined;
    let call: HandlerCall | undefined;
    const stream = this.#session.openAccepted(invoke, (opened) => {
      if (route?.serve !== undefined) {
        const context = new ServerContext(route.method.desc, this.peer, entries, deadline);
        refusal =
          (this.#gate && askGate(this.#gate, invoke.path, context, this.#onError)) ??
          this.#compressions.refusal(invoke.path, named);
        const method = this.#compressed(route.method, named);
        call = refusal === undefined ? this.#createCall(opened, method, route.serve, context) : undefined;
      }
      return call?.receiver ?? refusedReceiver(() => this.#session.release());
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

  #compressed(method: Method, named: string | undefined): Method {
    const compression = named === undefined ? undefined : this.#compressions.find(named);
    return compression ? new CallCompression(method.path, compression, this.#session).method(method) : method;
  }

  #createCall(stream: Stream, method: Method, serve: Serve, context: ServerContext): HandlerCall {
    return new HandlerCall(stream, {
      method,
      context,
      serve: this.#interceptors.length === 0 ? serve : interceptServe(this.#interceptors, method, serve),
      onError: this.#onError,
      over: () => this.#session.release(),
    });
  }
}

const ownKeys = [announcementKey, timeoutKey, compressionKey];

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
    entries = metadata.filter(([key]) => !ownKeys.includes(key));
  }
  return { entries, deadline, announcement, compression };
}

/** Says that nothing serves a path. */
function notServed(path: string, route: Route | undefined): DrpcError {
  return route === undefined
    ? // Go answers like this, and a client that wants to know must read the text, so it is the same here.
      new DrpcError(`protocol error: unknown rpc: ${JSON.stringify(path)}`, Code.Unknown, { wireCode: 0n })
    : new DrpcError(`${path} is not implemented`, Code.Unimplemented);
}

/** Receives nothing: the call has been refused. */
function refusedReceiver(over: () => void): StreamReceiver {
  return { message() {}, end() {}, terminated: over };
}

/**
 * Throws a RangeError or TypeError that names the option if one has a wrong
 * value. For servers that are made before their first connection comes.
 */
export function checkServeOptions(options: ServeOptions): void {
  checkFlowControl(options.flowControl, resolveSessionOptions(options));
  checkErrorFormat(options.errorFormat ?? "drpc");
  checkInterceptors(options.interceptors ?? []);
  checkGate(options.gate);
  new CompressionSet(options.compressions ?? []);
  wholeNumber("idleTimeoutMs", options.idleTimeoutMs ?? defaultIdleTimeoutMs);
}

function checkGate(gate: Gate | undefined): Gate | undefined {
  if (gate !== undefined && typeof gate !== "function") {
    throw new TypeError(`gate must be a function, got ${typeof gate}`);
  }
  return gate;
}

/** Returns the value of the option `errorFormat`, if it is one. */
function checkErrorFormat(format: ErrorFormat): ErrorFormat {
  if (format !== "drpc" && format !== "grpc-status") {
    throw new RangeError(`errorFormat must be "drpc" or "grpc-status", got ${JSON.stringify(format)}`);
  }
  return format;
}

function logError(reason: unknown, context: HandlerContext): void {
  console.error(`the handler of ${context.service.typeName}.${context.method.name} failed:`, reason);
}

function guarded(onError: (reason: unknown, context: HandlerContext) => void): typeof onError {
  // Whoever reports errors must not bring down the connection, or the process, with one of its own.
  const complain = (second: unknown): void => console.error("onError threw:", second);
  return (reason, context) => {
    try {
      const reported: unknown = onError(reason, context);
      if (reported instanceof Promise) {
        reported.catch(complain);
      }
    } catch (second) {
      complain(second);
    }
  };
}
