// Turns the listing into CommonJS: types go, imports become `require`.
const { readFileSync, writeFileSync } = require("node:fs");
const ts = require("typescript");

const options = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
const { outputText } = ts.transpileModule(readFileSync("server.ts", "utf8"), { compilerOptions: options });
writeFileSync("server.cjs", outputText);
