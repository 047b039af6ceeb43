import { BrigError } from "../../error/brig-error.js";
import { readHostFacts } from "../../host/facts.js";
import { readTextInRoot } from "../../host/read-in-root.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { encodePlan } from "../../plan/encode.js";
import { parseDuration } from "../../policy/parse/duration.js";
import { parseEnv } from "../../policy/parse/env.js";
import { parseUser } from "../../policy/parse/user.js";
import { type ExecOptions, planCommand } from "../../sandbox/exec.js";
import { findSandbox } from "../../sandbox/find.js";
import type { Sandbox } from "../../sandbox/sandbox.js";
import type { CommandForm, ParsedWords } from "../grammar.js";

export const command: CommandForm = {
  name: "exec",
  usage: ["exec [OPTIONS] SANDBOX COMMAND [ARGUMENT…]"],
  description:
    "Runs one more command in a running sandbox, with the payload's identity, limits and walls. It gets a terminal when you have one. " +
    "The exit status is the command's, 128+N when signal N ended it, 127 when it is not found, 126 when it cannot be executed, 125 when brig itself failed.",
  options: [
    { name: "env", short: "e", value: "NAME[=VALUE]", repeat: true, help: "set a variable, or take the caller's" },
    { name: "workdir", short: "w", value: "DIR", help: "working folder inside (default: the sandbox's)" },
    { name: "user", short: "u", value: "UID[:GID]", help: "who the command is inside (default: the sandbox's user)" },
    { name: "interactive", short: "i", help: "pass standard input on: always so, and understood for docker's sake" },
    { name: "tty", short: "t", negatable: true, help: "a terminal of its own (default: when the caller has one)" },
    { name: "detach", short: "d", help: "run it in the background, without output" },
    { name: "privileged", help: "all capabilities of the sandbox's user namespace, and no seccomp or Landlock" },
    { name: "timeout", value: "TIME", help: "end it after this time, such as 30s" },
  ],
  stopAtOperand: true,
  minOperands: 2,
  operands: "sandbox",
  examples: [
    { words: "brig exec build sh", what: "a shell in the sandbox build" },
    { words: "brig exec -e DEBUG=1 -w /tmp 3fa9 env", what: "by the beginning of its id, with a variable, elsewhere" },
  ],
  run(words) {
    const [reference, ...rest] = words.operands;
    const sandbox = findSandbox(reference!);
    const options = readOptions(words, rest[0] === "--" ? rest.slice(1) : rest, sandbox);
    return handOverPlan(encodePlan(planCommand(sandbox, options, readHostFacts())));
  },
};

function readOptions(words: ParsedWords, command: string[], sandbox: Sandbox): ExecOptions {
  const cwd = words.value("workdir");
  if (cwd !== undefined && !cwd.startsWith("/")) throw new BrigError(`--workdir ${JSON.stringify(cwd)} is not absolute`, { code: "BRIG_BAD_VALUE", hint: "it is a folder inside of the sandbox: /tmp" });
  const user = words.value("user");
  const timeout = words.value("timeout");
  const tty = words.typed.findLast(({ name }) => name === "tty");
  return {
    command,
    env: words.values("env").flatMap(readVariable),
    terminal: tty === undefined ? "auto" : tty.on ? "always" : "never",
    ...(cwd === undefined ? {} : { cwd }),
    ...(user === undefined ? {} : { user: findUser(user, sandbox) }),
    ...(words.has("privileged") ? { privileged: true } : {}),
    ...(words.has("detach") ? { detach: true } : {}),
    ...(timeout === undefined ? {} : { timeoutMs: parseDuration(timeout, "timeout") }),
  };
}

function readVariable(text: string): string[] {
  const { name, value = process.env[name] } = parseEnv(text);
  return value === undefined ? [] : [`${name}=${value}`];
}

/** Names as the sandbox's own files have them; they are read through its root, links included, and never trusted. */
function findUser(text: string, sandbox: Sandbox): { uid: number; gid: number } {
  const { user, group } = parseUser(text);
  const root = `/proc/${sandbox.first?.pid ?? 0}/root`;
  const account = findAccount(readTextInRoot(root, "/etc/passwd"), user);
  const named = group === undefined ? undefined : findAccount(readTextInRoot(root, "/etc/group"), group);
  const uid = typeof user === "number" ? user : Number(account?.[2]);
  const gid = typeof group === "number" ? group : group === undefined ? Number(account?.[3] ?? sandbox.record?.spec.process?.user?.gid ?? 0) : Number(named?.[2]);
  if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid };
  throw new BrigError(`the sandbox knows no user ${JSON.stringify(text)}`, { code: "BRIG_NO_SUCH_USER", hint: "a number works always: --user 1000:1000" });
}

function findAccount(text: string | undefined, key: string | number): string[] | undefined {
  const lines = (text ?? "").split("\n").map((line) => line.split(":"));
  return lines.find((fields) => (typeof key === "number" ? fields[2] === String(key) : fields[0] === key));
}
