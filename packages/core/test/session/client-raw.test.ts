// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, DrpcError } from "@ts-drpc/core";
import { golden, gopeer, hex } from "@ts-drpc-internal/fixtures";
import { Kind } from "../../src/wire/kind.js";
import { msg } from "../golden-echo.js";
import { dialRawServer, errorFrame, frame } from "../raw-peer.js";

interface ClientRawRecord {
  readonly name: string;
  readonly hex: string;
  readonly ok: boolean;
  readonly error?: string;
  readonly code?: number;
  readonly clientClosed: boolean;
  readonly serverCloses: boolean;
}

/** How a unary call of ours ends when it gets the bytes of a record. */
interface Outcome {
  readonly ok: boolean;
  readonly code?: number;
  readonly text?: string | RegExp;

  /** True if the connection ends with it; otherwise a second call on it works. */
  readonly closed: boolean;
}

const lost = {
  why: "the end of the connection is Unavailable, where Go says that the context was canceled (checklist 45)",
  code: Code.Unavailable,
  text: /^\/gopeer.v1.Echo\/Unary: the connection to in-memory server was closed by the peer/,
} as const;
const garbage = { ok: false, code: Code.Internal, closed: true, text: /protocol error: / } as const;

/** Where our client deliberately does something else than Go: what, and why. */
const others: Record<string, Partial<Outcome> & { readonly why: string }> = {
  "CloseSend without answer": {
    why: "a missing response is gRPC's Unimplemented (checklist 28)",
    code: Code.Unimplemented,
    text: "/gopeer.v1.Echo/Unary: the peer ended the call without a response",
  },
  "Close without answer": {
    why: "a missing response is gRPC's Unimplemented (checklist 28)",
    code: Code.Unimplemented,
    text: "/gopeer.v1.Echo/Unary: the peer ended the call without a response",
  },
  "Cancel from the server": {
    why: "the text names the call (checklist 41)",
    code: Code.Canceled,
    text: "/gopeer.v1.Echo/Unary: the peer canceled the call",
  },
  "unknown kind without control": { why: "the text is ours (checklist 43)", ...garbage },
  "invoke from the server": { why: "the text is ours (checklist 44)", ...garbage },
  "metadata from the server": { why: "the text is ours (checklist 44)", ...garbage },
  "window update from the server (message id 0)": {
    why: "a grant that was not asked for is ignored, as by a mux peer (checklist 82)",
    ok: true,
    closed: false,
  },
  "answer on a later stream id": { why: "a stream that was never opened is a protocol error", ...garbage },
  "invoke on a later stream id": { why: "a stream that was never opened is a protocol error", ...garbage },
  "stream id 0": { why: "the text is ours", ...garbage },
  "message id 0": { why: "the text is ours", ...garbage },
  "answer is not protobuf": {
    why: "the text names the call and is our decoder's, and the code is Internal",
    code: Code.Internal,
    text: /^\/gopeer.v1.Echo\/Unary: the response could not be decoded: /,
  },
  "end of connection at once": lost,
  "end of connection inside a frame": lost,
  "end of connection after a partial answer": lost,
};

for (const record of golden<ClientRawRecord>("client_raw.json")) {
  const other = others[record.name];
  const how = other === undefined ? "as in Go" : `in its own way, because ${other.why}`;
  test(`a call of ours ends with the raw bytes of "${record.name}" ${how}`, async () => {
    await outcomeOf(record, { ok: record.ok, closed: record.clientClosed, ...other });
  });
}

test("every deliberate difference belongs to a record", () => {
  const names = new Set(golden<ClientRawRecord>("client_raw.json").map(({ name }) => name));
  assert.deepEqual(
    Object.keys(others).filter((name) => !names.has(name)),
    [],
  );
});

async function outcomeOf(record: ClientRawRecord, expected: Outcome): Promise<void> {
  const { transport, peer, peers } = dialRawServer({ peer: "sequential" });
  const client = gopeer.createEchoClient(transport);
  const call = client.unary({ text: "q", n: 1n });
  const raw = await peer();
  await raw.frame(Kind.CloseSend, 1);
  raw.write(hex(record.hex));
  if (record.serverCloses) {
    raw.close();
  }

  if (expected.ok) {
    assert.equal((await call).text, "ok");
  } else {
    await assert.rejects(call, (error: DrpcError) => {
      assert.ok(error instanceof DrpcError);
      assert.equal(error.code, expected.code ?? (record.code === 0 ? Code.Unknown : record.code));
      const text = expected.text ?? (record.error as string);
      if (text instanceof RegExp) {
        assert.match(error.rawMessage, text);
      } else {
        assert.equal(error.rawMessage, text);
      }
      return true;
    });
  }

  if (record.serverCloses || expected.closed) {
    await raw.ended;
    return;
  }
  const second = client.unary({ text: "again" });
  await raw.frame(Kind.CloseSend, 2);
  raw.write(frame(Kind.Message, 2, 1, msg({ text: "yes" })), frame(Kind.CloseSend, 2, 2));
  assert.equal((await second).text, "yes");
  assert.equal(peers.length, 1);
  await transport.close();
}

test("an error code of 64 bits comes through, and 0 is Unknown with the code beside it (checklist 29)", async () => {
  const { transport, peer } = dialRawServer({ peer: "sequential" });
  const client = gopeer.createEchoClient(transport);
  for (const [stream, wireCode] of [
    [1, 0xffff_ffff_ffff_ffffn],
    [2, 0n],
  ] as const) {
    const call = client.unary({});
    const raw = await peer();
    await raw.frame(Kind.CloseSend, stream);
    raw.write(errorFrame(stream, 1, wireCode, "no"));
    await assert.rejects(call, { code: Code.Unknown, wireCode, rawMessage: "no" });
  }
});
