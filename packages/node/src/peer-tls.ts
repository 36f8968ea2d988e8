// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import { type PeerCertificate, TLSSocket } from "node:tls";
import type { PeerInfo } from "@ts-drpc/core";

/** What TLS tells of the peer of a connection. */
export interface PeerTls {
  /**
   * True if the peer's certificate was verified against the authorities that
   * this side trusts. Without that, do not believe what it says. A server asks for
   * certificates with `requestCert`.
   */
  readonly authorized: boolean;

  /** Why the peer is not authorized, if it had to be: the name that OpenSSL has for it. */
  readonly authorizationError: string | undefined;

  /** The peer's certificate, with its `subject` and `subjectaltname`, if it has shown one, authorized or not. */
  readonly certificate: PeerCertificate | undefined;

  /** The protocol that the two agreed on by ALPN, if they did. */
  readonly alpnProtocol: string | undefined;

  /** The name that the client called this server by (SNI), if it did. */
  readonly servername: string | undefined;
}

// Noted when the connection is made: a socket forgets its peer when it is closed, and handlers may ask after that.
const known = new WeakMap<PeerInfo, PeerTls>();

/**
 * Returns what TLS tells of a peer, such as `context.peer` in a gate, an
 * interceptor or a handler. Returns undefined if the connection has no TLS, or
 * is none of this package's.
 *
 * @example
 * const gate: Gate = ({ peer }) => {
 *   const tls = peerTls(peer);
 *   if (!tls?.authorized || tls.certificate?.subject.CN !== "billing") {
 *     throw new DrpcError("this service is for billing only", Code.PermissionDenied);
 *   }
 * };
 */
export function peerTls(peer: PeerInfo): PeerTls | undefined {
  return known.get(peer);
}

/** Notes what TLS tells of a peer, and returns it, if the stream is a connection with TLS. */
export function notePeerTls(peer: PeerInfo, stream: unknown): PeerTls | undefined {
  if (!(stream instanceof TLSSocket)) {
    return undefined;
  }
  const { authorized, authorizationError, alpnProtocol } = stream;
  const { servername } = stream as { readonly servername?: unknown };
  const certificate = stream.getPeerCertificate() as PeerCertificate | undefined | null;
  const told: PeerTls = {
    authorized,
    authorizationError: authorizationError ? String(authorizationError) : undefined,
    certificate: certificate && Object.keys(certificate).length > 0 ? certificate : undefined,
    alpnProtocol: typeof alpnProtocol === "string" ? alpnProtocol : undefined,
    servername: typeof servername === "string" ? servername : undefined,
  };
  known.set(peer, told);
  return told;
}
