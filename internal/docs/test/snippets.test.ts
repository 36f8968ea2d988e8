// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const directory = join(import.meta.dirname, ".snippets");

/** What the snippets take for granted: a client, a handler, and what they say nothing about. */
const scope = `
import { certificates, createEchoServiceClient, EchoHandler, EchoService, registerEchoService } from "@ts-drpc-internal/fixtures";
import { createRouterTransport as createScopeTransport } from "@ts-drpc/core/testing";
const handler = new EchoHandler();
const echo = createEchoServiceClient(createScopeTransport((router) => registerEchoService(router, handler)));
const { key, cert } = certificates.server;
const ca = certificates.authority;
const socketPath = \`/tmp/ts-drpc-snippet-\${process.pid}.sock\`;
void [handler, echo, EchoService, key, cert, ca, socketPath, registerEchoService, createEchoServiceClient];
`;

interface Snippet {
  readonly name: string;
  readonly code: string;
}

/** Returns the TypeScript of a document that no file of an example holds. */
function snippets(document: string): Snippet[] {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(/(<!-- \S+ -->\n)?```ts\n([\s\S]*?)```/g)]
    .filter(([, embedded]) => embedded === undefined)
    .map(([, , code], index) => ({ name: `${document.replaceAll(/\W/g, "-")}-${index + 1}`, code: code ?? "" }));
}

const toRun = snippets("README.md");
const all = [
  ...toRun,
  ...["node", "core", "compression", "grpc", "connect"].map((name) => `packages/${name}/README.md`).flatMap(snippets),
];

before(() => {
  mkdirSync(directory, { recursive: true });
  for (const { name, code } of all) {
    writeFileSync(
      join(directory, `${name}.ts`),
      `${scope}${code}\nconsole.log("reached the end");\nprocess.exit(0);\n`,
    );
  }
  const tsconfig = {
    extends: "../../../../tsconfig.test.json",
    files: all.map(({ name }) => `${name}.ts`),
    include: [],
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(tsconfig));
});

after(() => rmSync(directory, { recursive: true }));

test("the documents have snippets", () => assert.ok(all.length >= 5));

test("the snippets of the documents compile", async () => {
  await run(join(root, "node_modules/.bin/tsc"), ["-p", directory]).catch((reason) => assert.fail(reason.stdout));
});

for (const { name } of toRun) {
  test(`the snippet ${name} runs to its end`, async () => {
    const options = ["--conditions=@ts-drpc/source", "--import", "tsx", join(directory, `${name}.ts`)];
    const { stdout, stderr } = await run(process.execPath, options, { cwd: root });
    assert.match(stdout, /reached the end/);
    assert.equal(stderr, "");
  });
}
