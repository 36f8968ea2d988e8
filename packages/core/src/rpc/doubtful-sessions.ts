// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import type { Session } from "../session/session.js";
import type { Stream } from "../session/stream.js";

// So many messages of a stream CockroachDB's servers keep when they have no flow control. Then they read nothing at all.
const peerQueueMessages = 256;

/**
 * DoubtfulSessions finds connections to peers that may hang.
 *
 * storj.io/drpc, which takes one call at a time, reads nothing more from a
 * connection, for ever, while a message lies there that its handler does not
 * take. After a call whose handler may have returned without having read all,
 * the next call shows it: if that has to be given up without any answer, so is
 * the connection.
 *
 * CockroachDB's servers, which take many at once, hang in the same way once
 * their queue of a stream is full. Other calls may be under way then, and have
 * their answers already, or not; they keep the connection, and no others get it.
 */
export class DoubtfulSessions {
  readonly #doubtful = new WeakSet<Session>();

  /**
   * Decides by a stream that ended whether its session is used again. Returns
   * false if it is not.
   */
  usable(session: Session, stream: Stream, kind: "undecided" | "multiplexed" | "sequential"): boolean {
    if (session.flow.peerWindowBytes !== undefined) {
      // A peer with windows reads on whatever its handlers do.
      return true;
    }
    if (kind === "multiplexed") {
      return stream.leftovers !== "likely" || stream.sentMessages <= peerQueueMessages;
    }
    const unanswered = this.#doubtful.has(session) && !stream.answered;
    this.#doubtful.delete(session);
    if ((stream.leftovers === "likely" && kind === "sequential") || unanswered) {
      return false;
    }
    if (stream.leftovers !== "none") {
      this.#doubtful.add(session);
    }
    return true;
  }
}
