// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import {
  Client,
  credentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import type { BenchClient, Contender } from "../contender.js";
import type { Payload, SinkResponse, SourceRequest } from "../gen/bench/v1/bench_pb.js";
import { benchDefinition, connectionOfItsOwn } from "./grpc-definition.js";

type PayloadInit = { body: Uint8Array };

const echo: handleUnaryCall<Payload, PayloadInit> = (call, callback) => callback(null, { body: call.request.body });

const source: handleServerStreamingCall<SourceRequest, PayloadInit> = (call) => {
  const body = new Uint8Array(call.request.bodyBytes).fill(0x61);
  const write = (): void => {
    let room = true;
    while (room && !call.cancelled) {
      room = call.write({ body });
    }
  };
  call.on("drain", write);
  call.on("cancelled", () => call.end());
  call.on("error", () => undefined);
  write();
};

const sink: handleClientStreamingCall<Payload, { messages: number }> = (call, callback) => {
  let messages = 0;
  call.on("data", () => messages++);
  call.on("end", () => callback(null, { messages }));
  call.on("error", () => undefined);
};

const chat: handleBidiStreamingCall<Payload, PayloadInit> = (call) => {
  call.on("data", ({ body }: Payload) => call.write({ body }));
  call.on("end", () => call.end());
  call.on("error", () => undefined);
};

/** Returns what the client of grpc-js asks for to make a call. */
function call<I, O>(method: {
  readonly path: string;
  readonly requestSerialize: (message: I) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => O;
}): [string, MethodDefinition<I, O>["requestSerialize"], MethodDefinition<I, O>["responseDeserialize"]] {
  return [method.path, method.requestSerialize, method.responseDeserialize];
}

/** Calls by callbacks and events, which is all that grpc-js offers. */
class GrpcJsClient implements BenchClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), connectionOfItsOwn);
  }

  echo(body: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest<PayloadInit, Payload>(...call(benchDefinition.echo), { body }, (error, response) =>
        response === undefined ? reject(error) : resolve(response.body.length),
      );
    });
  }

  receive(bodyBytes: number, onMessage: (bodyBytes: number) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const responses = this.#client.makeServerStreamRequest<{ bodyBytes: number }, Payload>(
        ...call(benchDefinition.source),
        { bodyBytes },
      );
      let left = false;
      responses.on("data", ({ body }: Payload) => {
        if (!left && !onMessage(body.length)) {
          left = true;
          responses.cancel();
        }
      });
      responses.on("error", (error) => (left ? resolve() : reject(error)));
      responses.on("end", resolve);
    });
  }

  send(next: () => Uint8Array | undefined): Promise<number> {
    return new Promise((resolve, reject) => {
      const requests = this.#client.makeClientStreamRequest<PayloadInit, SinkResponse>(
        ...call(benchDefinition.sink),
        (error, response) => (response === undefined ? reject(error) : resolve(response.messages)),
      );
      const write = (): void => {
        let room = true;
        while (room) {
          const body = next();
          if (body === undefined) {
            requests.end();
            return;
          }
          room = requests.write({ body });
        }
        requests.once("drain", write);
      };
      write();
    });
  }

  pingPong(body: Uint8Array, onAnswer: (bodyBytes: number) => boolean | Promise<boolean>): Promise<void> {
    return new Promise((resolve, reject) => {
      const stream = this.#client.makeBidiStreamRequest<PayloadInit, Payload>(...call(benchDefinition.chat));
      const proceed = (more: boolean): void => {
        if (more) {
          stream.write({ body });
        } else {
          stream.end();
        }
      };
      stream.on("data", (answer: Payload) => {
        const more = onAnswer(answer.body.length);
        if (typeof more === "boolean") {
          proceed(more);
        } else {
          more.then(proceed, reject);
        }
      });
      stream.on("error", reject);
      stream.on("end", resolve);
      proceed(true);
    });
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

export const contender: Contender = {
  serve(): Promise<number> {
    const server = new Server();
    server.addService(benchDefinition, { echo, source, sink, chat });
    return new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  },

  connect: (port) => new GrpcJsClient(port),
};
