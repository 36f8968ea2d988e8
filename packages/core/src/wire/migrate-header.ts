// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The eight bytes, `DRPC!!!1`, that a client may send before anything else, so
 * that a server can tell DRPC from the other protocols on its port
 * (docs/protocol.md#connection).
 */
export const migrateHeader: Uint8Array = Uint8Array.from("DRPC!!!1", (character) => character.charCodeAt(0));

/**
 * Takes the header off what a client sends first, if it is there. Nothing else
 * in DRPC begins with a D, so a server need not be told whether to expect it.
 */
export class MigrateHeaderReader {
  #matched = 0;

  /**
   * Takes a chunk, and returns what is to be read: it without the header, or
   * with what was held back of something that turned out to be none. Returns
   * undefined while that is not known. Once something was returned, it is not
   * called again.
   */
  read(chunk: Uint8Array): Uint8Array | undefined {
    const before = this.#matched;
    let at = 0;
    while (this.#matched < migrateHeader.length && chunk[at] === migrateHeader[this.#matched]) {
      this.#matched++;
      at++;
    }
    if (this.#matched === migrateHeader.length) {
      return chunk.subarray(at);
    }
    if (at === chunk.length) {
      return undefined;
    }
    if (before === 0) {
      return chunk;
    }
    const whole = new Uint8Array(before + chunk.length);
    whole.set(migrateHeader.subarray(0, before));
    whole.set(chunk, before);
    return whole;
  }
}
