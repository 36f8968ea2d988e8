// Copyright 2026 The ts-drpc Authors
// SPDX-License-Identifier: Apache-2.0

// Writes files into the documents that show them: the code block behind <!-- path/of/a/file --> becomes that file.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const documents = [
  "README.md",
  "examples/grpc-and-drpc/README.md",
  ...readdirSync("docs").map((name) => join("docs", name)),
].filter((path) => path.endsWith(".md"));
const header = /^(\/\/ Copyright .*\n\/\/ SPDX-.*\n\n)/;

for (const document of documents) {
  const text = readFileSync(document, "utf8");
  const embedded = text.replaceAll(
    /(<!-- (\S+) -->\n```(\w+)\n)[\s\S]*?(```\n)/g,
    (_, before, path, _language, after) => {
      return `${before}${readFileSync(path, "utf8").replace(header, "")}${after}`;
    },
  );
  if (embedded !== text) {
    writeFileSync(document, embedded);
  }
}
