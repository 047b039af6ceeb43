import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { isatty } from "node:tty";
import { imageError } from "../../image/image-error.js";
import { findDockerConfig } from "../../image/registry/credentials.js";
import { loginRegistry } from "../../image/registry/login.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { endQuietly } from "./ends-quietly.js";
import { readServer } from "./server.js";
import { print, printError } from "../output/print.js";

export const command: CommandForm = {
  name: "login",
  usage: ["login [-u USER] [-p PASSWORD | --password-stdin] [SERVER]"],
  description: "Tries a name and password at a registry and keeps them where docker does: with its credential helper, or in ~/.docker/config.json.",
  options: [
    { name: "username", short: "u", value: "USER", help: "asked for without it" },
    { name: "password", short: "p", value: "PASSWORD", help: "which others then see in the list of processes" },
    { name: "password-stdin", help: "read it from standard input" },
  ],
  maxOperands: 1,
  operands: "none",
  examples: [{ words: "brig login -u me --password-stdin localhost:5000 < password", what: "without a trace in the shell's history" }],
  run: (words) => endQuietly((signal) => login(words, signal)),
};

async function login(words: ParsedWords, signal: AbortSignal): Promise<void> {
  const server = readServer(words.operands[0]);
  const { username, password } = await readCredentials(words);
  const isReadable = await loginRegistry(server, { username, password }, { signal });
  if (isReadable) printError(`WARNING! Your password will be stored unencrypted in ${findDockerConfig()}.\nConfigure a credential helper to remove this warning.\n`);
  print("Login Succeeded");
}

async function readCredentials(words: ParsedWords): Promise<{ username: string; password: string }> {
  const typed = words.value("password");
  const fromInput = words.has("password-stdin");
  if (typed !== undefined && fromInput) throw imageError("BRIG_BAD_USAGE", "--password and --password-stdin are mutually exclusive");
  if (fromInput && words.value("username") === undefined) throw imageError("BRIG_BAD_USAGE", "Must provide --username with --password-stdin");
  if (typed !== undefined) printError("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
  if (!fromInput && (typed === undefined || words.value("username") === undefined) && !isatty(0)) throw imageError("BRIG_BAD_USAGE", "Error: Cannot perform an interactive login from a non TTY device", "say --username and --password-stdin");
  const username = words.value("username") ?? (await ask("Username: ", false));
  const password = typed ?? (fromInput ? (await text(process.stdin)).replace(/\r?\n$/, "") : await ask("Password: ", true));
  if (username === "" || password === "") throw imageError("BRIG_BAD_USAGE", "a name and a password are needed");
  return { username, password };
}

async function ask(question: string, hidden: boolean): Promise<string> {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  if (hidden) printErrorPart(question);
  const terminal = createInterface({ input: process.stdin, output: hidden ? output : process.stderr, terminal: true });
  try {
    return await terminal.question(hidden ? "" : question);
  } finally {
    terminal.close();
    if (hidden) printError("");
  }
}

function printErrorPart(text: string): void {
  process.stderr.write(text);
}
