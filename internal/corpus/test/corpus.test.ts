// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, suite, test } from "node:test";
import { compare, typeCheck } from "../src/check.js";
import { createProject, type Generated, generate, writeConfig } from "../src/generate.js";
import { leftOut } from "../src/left-out.js";
import { batches, compileProtos, listProtos } from "../src/protos.js";

/** Services of all kinds from the corpus. The whole of it is checked by "npm run corpus". */
const selection = [
  "google/assistant/embedded/v1alpha2/embedded_assistant.proto",
  "google/bigtable/v2/bigtable.proto",
  "google/bytestream/bytestream.proto",
  "google/cloud/dialogflow/v2/participant.proto",
  "google/cloud/pubsublite/v1/publisher.proto",
  "google/cloud/speech/v1/cloud_speech.proto",
  "google/cloud/sql/v1beta4/cloud_sql_data.proto",
  "google/cloud/videointelligence/v1p3beta1/video_intelligence.proto",
  "google/cloud/visionai/v1/streaming_service.proto",
  "google/devtools/build/v1/publish_build_event.proto",
  "google/firestore/v1/firestore.proto",
  "google/iam/v1/iam_policy.proto",
  "google/logging/v2/logging.proto",
  "google/longrunning/operations.proto",
  "google/pubsub/v1/pubsub.proto",
  "google/spanner/executor/v1/cloud_executor.proto",
  "google/spanner/v1/spanner.proto",
  "google/storage/v2/storage.proto",
  "google/watcher/v1/watch.proto",
  "grafeas/v1/grafeas.proto",
];

suite("services of google-proto-files", async () => {
  const project = createProject();
  after(() => rmSync(project, { recursive: true }));
  const generated: Generated[] = [];
  for (const batch of batches(compileProtos(selection))) {
    generated.push(...(await generate(project, batch, ["--generate-adapters"])));
  }
  const services = generated.flatMap(({ file }) => file.service);

  test("a few dozen of them are generated, with methods of all four kinds", () => {
    const kinds = new Set<string>();
    for (const { method } of services) {
      for (const { clientStreaming, serverStreaming } of method) kinds.add(`${clientStreaming} ${serverStreaming}`);
    }
    assert.equal(kinds.size, 4);
    assert.ok(services.length >= 24, `${services.length} services`);
  });

  test("each has exactly the declarations and methods of its descriptor", () => {
    assert.deepEqual(generated.flatMap(compare), []);
  });

  test("each with services has adapters", () => {
    for (const { file, adapters = "" } of generated) {
      assert.equal(adapters.match(/^export function /gm)?.length ?? 0, 2 * file.service.length, file.name);
    }
  });

  test("all compile under the strictest settings", () => {
    assert.deepEqual(typeCheck(writeConfig(project, generated)), []);
  });
});

suite("the comparison with the descriptor", () => {
  test("finds a service that was not generated", () => {
    const [file] = compileProtos(["google/bytestream/bytestream.proto"]).filter(({ service }) => service.length > 0);
    assert.ok(file);
    const problems = compare({ file, services: undefined, adapters: undefined });
    assert.ok(
      problems.includes("google/bytestream/bytestream.proto: rpc google.bytestream.ByteStream.Read is missing"),
    );
    assert.ok(problems.includes("google/bytestream/bytestream.proto: 0 method signatures for 3 methods"));
  });
});

test("every file that is left out is in the corpus, once", () => {
  const paths = leftOut.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length);
  assert.deepEqual(
    paths.filter((path) => !listProtos().includes(path)),
    [],
  );
});
