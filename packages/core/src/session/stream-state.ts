// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { Kind } from "../wire/kind.js";

/**
 * StreamState is where one side of a stream stands. It has no I/O: what
 * happens is an event, and the tables say what becomes of the state and what
 * is sent (docs/architecture.md#the-life-of-a-stream).
 */
export const StreamState = {
  Open: 0,
  HalfClosedLocal: 1,
  HalfClosedRemote: 2,
  Terminated: 3,
} as const;

/** One of the four states. */
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

/** StreamEvent is what can happen to a stream, done by this side or by its peer. */
export const StreamEvent = {
  LocalMessage: 0,
  LocalCloseSend: 1,
  LocalClose: 2,
  LocalError: 3,
  LocalCancel: 4,
  RemoteMessage: 5,
  RemoteCloseSend: 6,
  RemoteClose: 7,
  RemoteError: 8,
  RemoteCancel: 9,
  ConnectionEnd: 10,
} as const;

/** One of the eleven events. */
export type StreamEvent = (typeof StreamEvent)[keyof typeof StreamEvent];

const { Open, HalfClosedLocal, HalfClosedRemote, Terminated } = StreamState;
const end = [Terminated, Terminated, Terminated, Terminated] as const;

// A row an event, a column a state, in the order of their numbers.
const nextStates: readonly (readonly [StreamState, StreamState, StreamState, StreamState])[] = [
  [Open, HalfClosedLocal, HalfClosedRemote, Terminated],
  [HalfClosedLocal, HalfClosedLocal, Terminated, Terminated],
  end,
  end,
  end,
  [Open, HalfClosedLocal, HalfClosedRemote, Terminated],
  [HalfClosedRemote, Terminated, HalfClosedRemote, Terminated],
  end,
  end,
  end,
  end,
];

// What a local event puts on the wire, 0 for nothing. Remote events answer nothing.
const sentKinds: readonly (readonly [number, number, number, number])[] = [
  [Kind.Message, 0, Kind.Message, 0],
  [Kind.CloseSend, 0, Kind.CloseSend, 0],
  [Kind.Close, Kind.Close, Kind.Close, 0],
  [Kind.Error, Kind.Error, Kind.Error, 0],
  [Kind.Cancel, Kind.Cancel, Kind.Cancel, 0],
];

/** Returns the state after an event. */
export function nextStreamState(state: StreamState, event: StreamEvent): StreamState {
  return (nextStates[event] as (typeof nextStates)[number])[state];
}

/** Returns the kind of the packet that an event sends, or 0 if it sends none. */
export function sentKind(state: StreamState, event: StreamEvent): number {
  return sentKinds[event]?.[state] ?? 0;
}

/** Tells whether a message that arrives in this state is delivered; otherwise it is dropped. */
export function takesMessages(state: StreamState): boolean {
  return state === Open || state === HalfClosedLocal;
}
