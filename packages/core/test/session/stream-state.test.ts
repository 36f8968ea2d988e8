// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { nextStreamState, StreamEvent, StreamState, sentKind, takesMessages } from "../../src/session/stream-state.js";
import { Kind, kindName } from "../../src/wire/kind.js";

type EventName = keyof typeof StreamEvent;
type StateName = keyof typeof StreamState;

const stateNames = Object.keys(StreamState) as StateName[];
const eventNames = Object.keys(StreamEvent) as EventName[];

function nameOf(state: StreamState): StateName {
  return stateNames.find((name) => StreamState[name] === state) as StateName;
}

/** What comes of an event: the state after it, and what is sent. */
type Row = readonly [after: StateName, sent: string];

const dead: Row = ["Terminated", "-"];

// Section 7 of the protocol, written out: a row an event, and in it what comes of it in each state.
const table: Record<EventName, Record<StateName, Row>> = {
  LocalMessage: {
    Open: ["Open", "Message"],
    HalfClosedLocal: ["HalfClosedLocal", "-"],
    HalfClosedRemote: ["HalfClosedRemote", "Message"],
    Terminated: dead,
  },
  LocalCloseSend: {
    Open: ["HalfClosedLocal", "CloseSend"],
    HalfClosedLocal: ["HalfClosedLocal", "-"],
    HalfClosedRemote: ["Terminated", "CloseSend"],
    Terminated: dead,
  },
  LocalClose: allTerminate("Close"),
  LocalError: allTerminate("Error"),
  LocalCancel: allTerminate("Cancel"),
  RemoteMessage: {
    Open: ["Open", "-"],
    HalfClosedLocal: ["HalfClosedLocal", "-"],
    HalfClosedRemote: ["HalfClosedRemote", "-"],
    Terminated: dead,
  },
  RemoteCloseSend: {
    Open: ["HalfClosedRemote", "-"],
    HalfClosedLocal: ["Terminated", "-"],
    HalfClosedRemote: ["HalfClosedRemote", "-"],
    Terminated: dead,
  },
  RemoteClose: allTerminate("-"),
  RemoteError: allTerminate("-"),
  RemoteCancel: allTerminate("-"),
  ConnectionEnd: allTerminate("-"),
};

function allTerminate(sent: string): Record<StateName, Row> {
  const row: Row = ["Terminated", sent];
  return { Open: row, HalfClosedLocal: row, HalfClosedRemote: row, Terminated: dead };
}

describe("the life of a stream", () => {
  for (const event of eventNames) {
    test(`goes as the protocol says at ${event}, in every state`, () => {
      for (const state of stateNames) {
        const [after, sent] = table[event][state];
        const kind = sentKind(StreamState[state], StreamEvent[event]);
        assert.equal(nameOf(nextStreamState(StreamState[state], StreamEvent[event])), after, `${event} in ${state}`);
        assert.equal(kind === 0 ? "-" : kindName(kind), sent, `${event} in ${state}`);
      }
    });
  }

  test("has four states and eleven events", () => {
    assert.deepEqual(Object.values(StreamState), [0, 1, 2, 3]);
    assert.deepEqual(Object.values(StreamEvent), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("takes messages until the peer said that no more come, or the stream ended", () => {
    assert.deepEqual(
      stateNames.filter((name) => takesMessages(StreamState[name])),
      ["Open", "HalfClosedLocal"],
    );
  });
});

describe("the life of a stream, whatever happens in it", () => {
  const events = fc.array(fc.constantFrom(...eventNames), { maxLength: 12 });

  /** Goes through the events, and returns the states that were passed and the kinds that were sent. */
  function live(names: readonly EventName[]): { states: StreamState[]; sent: number[] } {
    const states: StreamState[] = [StreamState.Open];
    const sent: number[] = [];
    for (const name of names) {
      const state = states.at(-1) as StreamState;
      sent.push(sentKind(state, StreamEvent[name]));
      states.push(nextStreamState(state, StreamEvent[name]));
    }
    return { states, sent: sent.filter((kind) => kind !== 0) };
  }

  test("is what its two directions say", () => {
    fc.assert(
      fc.property(events, (names) => {
        const model = { sending: true, receiving: true, terminated: false };
        for (const name of names) {
          model.sending &&= name !== "LocalCloseSend";
          model.receiving &&= name !== "RemoteCloseSend";
          const survives = ["LocalMessage", "RemoteMessage", "LocalCloseSend", "RemoteCloseSend"].includes(name);
          model.terminated ||= !survives || !(model.sending || model.receiving);
        }
        const expected = model.terminated
          ? "Terminated"
          : model.sending
            ? model.receiving
              ? "Open"
              : "HalfClosedRemote"
            : "HalfClosedLocal";
        assert.equal(nameOf(live(names).states.at(-1) as StreamState), expected);
      }),
    );
  });

  test("never comes back from its end, and sends nothing after it", () => {
    fc.assert(
      fc.property(events, events, (before, after) => {
        const { sent } = live([...before, "ConnectionEnd", ...after]);
        assert.deepEqual(sent, live(before).sent);
      }),
    );
  });

  test("sends CloseSend at most once, no message behind it, and one last packet at most", () => {
    const last: readonly number[] = [Kind.Close, Kind.Error, Kind.Cancel];
    fc.assert(
      fc.property(events, (names) => {
        const { sent } = live(names);
        assert.ok(sent.filter((kind) => kind === Kind.CloseSend).length <= 1);
        const closed = sent.indexOf(Kind.CloseSend);
        assert.ok(closed < 0 || !sent.slice(closed).includes(Kind.Message));
        const end = sent.findIndex((kind) => last.includes(kind));
        assert.ok(end < 0 || end === sent.length - 1);
      }),
    );
  });
});
