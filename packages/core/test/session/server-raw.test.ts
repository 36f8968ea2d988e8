// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { golden, gopeer, hex, toHex } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { GoldenEcho, msg } from "../golden-echo.js";
import { errorFrame, frame, invoke, join, serveRawClient } from "../raw-peer.js";
import { withoutRaces } from "../transcripts.js";

interface ServerRawRecord {
  readonly name: string;
  readonly hex: string;
  readonly response: string;
  readonly closed: boolean;
  readonly probe?: { readonly answered: boolean };
}

/** What our server does with the bytes of a record. */
interface Outcome {
  /** The frames that it answers, as hex. */
  readonly response: string;

  /** True if it ends the connection; otherwise a later call must be answered. */
  readonly closed: boolean;
}

/** Where our server deliberately does something else than Go: what, and why. */
const others: Record<string, Partial<Outcome> & { readonly why: string }> = {
  "message without invoke": { why: "frames of unknown streams are dropped, where Go hangs (checklist 66)" },
  "CloseSend without invoke": { why: "frames of unknown streams are dropped, where Go hangs (checklist 66)" },
  "cancel without invoke": { why: "frames of unknown streams are dropped, where Go hangs (checklist 66)" },
  "unknown control kind without invoke": { why: "unknown control frames are ignored, where Go hangs (checklist 67)" },
  "window update (kind 8, message id 0) on an open stream": {
    why: "a grant that was not asked for is ignored, as by a mux peer (checklist 82)",
    closed: false,
  },
  "window update before the invoke, stream 1 message 0": {
    why: "a grant that was not asked for is ignored, as by a mux peer (checklist 82)",
    closed: false,
  },
  "message body is not protobuf": {
    why: "the text names the path and is our decoder's, and the code is Internal (checklist 55)",
    response: errorHex(
      1,
      13n,
      "/gopeer.v1.Echo/Unary: the request could not be decoded: the bytes end inside a varint",
    ),
  },
  "unary with no message": {
    why: "the text says what is wrong, and the code is gRPC's for it (checklist 54)",
    response: errorHex(1, 12n, `/gopeer.v1.Echo/Unary: the call ended without its request`),
  },
  "unary with two messages": { why: "the surplus message is dropped and nothing hangs (checklist 64)" },
  "handler succeeds with an unread message, then CloseSend": { why: "no deadlock (checklist 65)" },
  "handler succeeds with an unread message, then Close": {
    why: "the Close is seen before the handler has ended, and nothing hangs (checklist 65)",
    response: "",
  },
  "handler succeeds with an unread message, then Cancel": {
    why: "the Cancel is seen before the handler has ended, and nothing hangs (checklist 65)",
    response: "",
  },
  "cancel behind an unread message": {
    why: "the Cancel is seen at once, before the handler could send anything, and nothing hangs (checklist 64)",
    response: "",
  },
  "two invokes back to back (multiplexed client)": {
    why: "both streams are served, and the first stays open (checklist 63)",
  },
  "interleaved packets of two streams": {
    why: "streams may be interleaved (checklist 63)",
    closed: false,
    response: toHex(frame(Kind.Message, 1, 1, msg({ text: "echo:a" }))) + toHex(frame(Kind.CloseSend, 2, 1)),
  },
  "late frame of an older stream is fatal on the wire": {
    why: "frames of finished streams are ignored (checklist 42)",
    closed: false,
  },
  "metadata frame split and interleaved": {
    why: "the unfinished call of stream 1 waits for its rest, and takes no place from others",
  },
  "migrate header not stripped": { why: "every server takes the header off, and serves what follows" },
  "HTTP request": {
    why: "what is no DRPC ends the connection at once, with the first bytes in the error",
    closed: true,
  },
  "TLS client hello prefix": {
    why: "what is no DRPC ends the connection at once, with the first bytes in the error",
    closed: true,
  },
  "half frame then close": { why: "the probe would complete the frame, so there is none" },
};

// Their bytes end inside a frame, so that a probe behind them would be read as its rest.
const withoutProbe = new Set(["half frame then close"]);

for (const record of golden<ServerRawRecord>("server_raw.json")) {
  const other = others[record.name];
  const expected: Outcome = {
    response: other?.response ?? record.response,
    closed: other?.closed ?? record.closed,
  };
  const how = other === undefined ? "as Go does" : `in its own way, because ${other.why}`;

  test(`our server takes the raw bytes of "${record.name}" ${how}`, async () => {
    const { peer, served } = serveRawClient((router) => gopeer.registerEcho(router, new GoldenEcho()), {
      onError() {},
    });
    peer.write(hex(record.hex));
    if (!expected.closed && !withoutProbe.has(record.name)) {
      peer.write(join([invoke(1000, "/gopeer.v1.Echo/Unary"), frame(Kind.Message, 1000, 2, msg({ text: "probe" }))]));
      peer.write(frame(Kind.CloseSend, 1000, 3));
      await peer.frame(Kind.CloseSend, 1000);
      assert.equal(peer.isEnded, false);
    }
    if (!expected.closed) {
      peer.close();
    }
    const reason = await served.closed;

    assert.equal(reason?.rawMessage.startsWith("protocol error") ?? false, expected.closed, reason?.message);
    const answers = peer.frames.filter(({ stream }) => stream !== 1000);
    const bytes = answers.map((each) => toHex(frame(each.kind, each.stream, each.message, each.data, each)));
    assert.deepEqual(perStream(bytes.join("")), perStream(expected.response));
  });
}

test("every deliberate difference belongs to a record", () => {
  const names = new Set(golden<ServerRawRecord>("server_raw.json").map(({ name }) => name));
  assert.deepEqual(
    Object.keys(others).filter((name) => !names.has(name)),
    [],
  );
});

/** Sorts the frames by stream, as handlers run beside each other, and drops the CloseSend behind a unary answer, which races. */
function perStream(text: string): string[] {
  return withoutRaces(hex(text)).sort((a, b) => streamOf(a) - streamOf(b));
}

function streamOf(shown: string): number {
  return Number(/ (\d+)\//.exec(shown)?.[1]);
}

function errorHex(stream: number, code: bigint, text: string): string {
  return toHex(errorFrame(stream, 1, code, text));
}
