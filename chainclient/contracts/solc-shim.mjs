#!/usr/bin/env node
// Stands in for the solc binary, which forge would download: answers --version and --standard-json with solc-js, so
// that forge compiles with the compiler that go generate uses, offline.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const solc = createRequire(import.meta.url)("solc");
const args = process.argv.slice(2);
if (args.includes("--version")) {
  // forge reads "Version: 0.8.37+commit.…" and expects a platform after it
  process.stdout.write(
    `solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace(".Emscripten.clang", "")}.Emscripten.clang\n`,
  );
} else if (args.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  console.error(`solc-shim: only --version and --standard-json are answered, not ${args.join(" ")}`);
  process.exit(1);
}
