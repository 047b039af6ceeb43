import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { identities, openStage, type Stage } from "../walls/stage.js";
import { type Bench, type Call, openBench, type Outcome } from "./injection.js";

const ERRORS = { EPERM: 1, EINVAL: 22, ENOMEM: 12, ENOSYS: 38 };

/**
 * Calls behind whose failure the payload may run, with the same walls as ever (which is what the test sees to), and why.
 * By the call's name, and for some by its argument.
 */
const HARMLESS: { call: string; argument?: RegExp; why: string }[] = [
  { call: "close", why: "a descriptor more in the launcher, which is close-on-exec" },
  { call: "rt_sigaction", why: "whether the caller ignored a signal, and SIGCHLD, which is not ignored" },
  { call: "rt_sigprocmask", why: "cannot fail with these arguments; signals stay as they were" },
  { call: "getpid", why: "cannot fail" },
  { call: "clock_gettime", why: "cannot fail; the time that is told is wrong" },
  { call: "openat", argument: /^\/dev\/null$/, why: "0, 1 and 2 are open already; the supervisor keeps the payload's pipes a moment longer" },
  { call: "dup3", why: "the same" },
  { call: "openat", argument: /^\/proc\/\d+\/stat$/, why: "the start time is told as 0" },
  { call: "openat", argument: /^memory\./, why: "whether memory ran out is not known" },
  { call: "read", why: "of the same, of a status that is asked for again, or of a signal that comes again" },
  { call: "newfstatat", why: "a file that cannot be looked at makes the plan stale: it is compiled again" },
  { call: "geteuid", why: "the same for identities" },
  { call: "getegid", why: "the same" },
  { call: "getgroups", why: "the same" },
  { call: "sendto", why: "whoever holds the status descriptor misses a record; the supervisor sees the payload's start and end itself" },
  { call: "write", why: "the status descriptor's holder misses a record" },
  { call: "pidfd_open", why: "the parent's death is then told by a signal (PR_SET_PDEATHSIG)" },
  { call: "move_mount", why: "the new root is attached elsewhere for the moment between attaching and pivoting" },
  { call: "prctl", argument: /^(3|23|24|36)$/, why: "PR_GET_DUMPABLE; PR_CAPBSET_READ and PR_CAPBSET_DROP beyond the last capability; PR_SET_CHILD_SUBREAPER beside a pid namespace" },
  { call: "ppoll", why: "it is called again" },
  { call: "wait4", why: "it is called again, or the end is told as a failure" },
  { call: "recvmsg", why: "behind the payload's start: the end is told as a failure" },
  { call: "unlinkat", why: "a file of the state folder is left, which the next command sweeps" },
  { call: "flock", why: "a state folder without a lock looks abandoned" },
  { call: "nanosleep", why: "a pause that is not made" },
];

/** exit cannot fail, and execve of what is not there is no call that protects anything. */
const NOT_TRIED = new Set(["exit", "exit_group"]);

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

/** Each of `calls` in turn, two at a time, each worker with a run folder of its own. */
async function tryEach(benches: Bench[], calls: Call[], error: (call: Call, index: number) => number | "kill", judge: (outcome: Outcome, call: Call) => string | undefined): Promise<string[]> {
  const waiting = calls.filter(({ name }) => !NOT_TRIED.has(name)).map((call, index) => ({ call, index }));
  const problems: string[] = [];
  const work = async (bench: Bench): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const how = error(next.call, next.index);
      const outcome = await bench.inject(next.call.process, next.call.number, how);
      if (!outcome.call || NOT_TRIED.has(outcome.call.name)) continue; // another order of two processes: the number names another call, or none
      const problem = judge(outcome, outcome.call);
      if (problem !== undefined) problems.push(`${outcome.call.name}(${outcome.call.argument}), call ${outcome.call.number} of process ${outcome.call.process}, ${how}: ${problem}`);
      bench.clean();
    }
  };
  await Promise.all(benches.map(work));
  return problems;
}

/** What must not be: undefined when all is well. */
function judgeFailure(plain: Outcome, outcome: Outcome, call: Call): string | undefined {
  const told = `code ${outcome.code}, records ${outcome.records.join()} ${outcome.failure} ${outcome.stderr.trim()}`;
  if (outcome.code === 137 && outcome.stdout === "" && call.name === "getppid") return undefined; // its parent seems to be dead
  if (/node can't be executed|BRIG_BUG/.test(outcome.stderr)) return told;
  if (outcome.left.length > 0 && call.name !== "unlinkat") return `left ${outcome.left.join(" ")} (${told})`;
  if (outcome.stdout === "") {
    if (outcome.code === 0 || outcome.code === 137) return `the payload did not run, and this was told: ${told}`;
    return outcome.records.includes(4) || outcome.stderr.startsWith("brig: ") ? undefined : `no error record: ${told}`;
  }
  // A supervisor that lost track kills the payload in the middle of its report.
  if (outcome.records.includes(4) && maskOrder(plain.stdout).startsWith(maskOrder(outcome.stdout))) return undefined;
  if (outcome.stderr.includes("is stale")) return sortLines(outcome.stdout).length === sortLines(plain.stdout).length ? undefined : `compiled again, it is another:\n${describeDifference(plain.stdout, outcome.stdout)}`;
  if (maskOrder(outcome.stdout) !== maskOrder(plain.stdout)) return `a wall is missing:\n${describeDifference(plain.stdout, outcome.stdout)}`;
  if (!HARMLESS.some((each) => each.call === call.name && (each.argument?.test(call.argument) ?? true))) return `it is not known to be harmless: ${told}`;
  if (call.name === "write" && outcome.records.length >= plain.records.length) return `what was not written is no record: ${told}`;
  return outcome.code === 0 || outcome.records.includes(4) ? undefined : `the end was not told: ${told}`;
}

/** What is compiled again has this test's environment, and another home with it. */
function sortLines(text: string): string[] {
  return maskOrder(text).split("\n").filter((line) => !line.includes("/root") && !line.startsWith("NSpid"));
}

/** A process that is made in another order has another pid; a network namespace made beside has one too. */
function maskOrder(text: string): string {
  return text.replace(/^NSpid:.*$/m, "NSpid");
}

function describeDifference(before: string, now: string): string {
  const [a, b] = [before.split("\n"), now.split("\n")];
  return [...a.filter((line) => !b.includes(line)).map((line) => `- ${line}`), ...b.filter((line) => !a.includes(line)).map((line) => `+ ${line}`)].join("\n");
}

for (const who of identities)
  describe(`a call of the launcher's that fails, as ${who.name}`, { skip: process.arch === "x64" ? false : "the tracer knows x86-64's registers" }, () => {
    let benches: Bench[] = [];
    let plain: Outcome;
    let calls: Call[] = [];

    before(async () => {
      benches = await Promise.all([1, 2].map((worker) => openBench(stage, who, `faults-${who.name}-${worker}`)));
      plain = await benches[0]!.runPlain();
      calls = await benches[0]!.listCalls();
    });
    after(() => benches.forEach((bench) => bench.clean()));

    it("without one the payload runs, has its walls and leaves nothing", () => {
      assert.deepEqual([plain.code, plain.records, plain.left, plain.stderr], [0, [1, 2, 3], [], ""]);
      assert.match(plain.stdout, /^Seccomp:\s2$/m);
      assert.match(plain.stdout, /^NoNewPrivs:\s1$/m);
      assert.match(plain.stdout, /^CapBnd:\s0{16}$/m);
      assert.match(plain.stdout, /^root: EACCES$/m);
      assert.match(plain.stdout, /^closed \/proc\/1\/mem$/m);
      assert.match(plain.stdout, /^descriptors 0 1 2$/m);
      assert.doesNotMatch(plain.stdout, /^ns \w+ HOST$/m);
      assert.ok(calls.length > 200, `${calls.length} calls`);
      assert.ok(calls.some(({ process }) => process === 2), "supervisor, init and payload are watched");
    });

    it("every call in turn: the payload never runs with a wall missing, and an error is told", async () => {
      const errors = [ERRORS.EPERM, ERRORS.EINVAL, ERRORS.ENOMEM];
      const chosen = who.name === "root" ? calls : calls.filter((_, index) => index % 3 === 0);
      const problems = await tryEach(benches, chosen, (_, index) => errors[index % 3]!, (outcome, call) => judgeFailure(plain, outcome, call));
      assert.deepEqual(problems, []);
    });

    it("with the other errors a part of them, and each call once as on a kernel that lacks it", async () => {
      const errors = [ERRORS.EINVAL, ERRORS.ENOMEM, ERRORS.EPERM];
      const firsts = calls.filter((call, index) => calls.findIndex(({ name, process }) => name === call.name && process === call.process) === index);
      const some = calls.filter((_, index) => index % (who.name === "root" ? 5 : 15) === 0);
      const problems = [
        ...(await tryEach(benches, some, (_, index) => errors[index % 3]!, (outcome, call) => judgeFailure(plain, outcome, call))),
        ...(await tryEach(benches, firsts, () => ERRORS.ENOSYS, (outcome, call) => judgeFailure(plain, outcome, call))),
      ];
      assert.deepEqual(problems, []);
    });

    it("any of its processes killed at any call: nothing hangs and no process is left", async () => {
      const chosen = calls.filter((_, index) => index % (who.name === "root" ? 2 : 6) === 0);
      // The tracer returns when the last process is gone, and its output closes with the payload: 137 by its own timeout otherwise.
      const problems = await tryEach(benches, chosen, () => "kill", (outcome, call) => {
        if (outcome.code === 0 && maskOrder(outcome.stdout) !== maskOrder(plain.stdout)) return `well, without the payload: ${outcome.stdout}`;
        if (outcome.stdout !== "" && !maskOrder(plain.stdout).startsWith(maskOrder(outcome.stdout))) return `a wall is missing:\n${describeDifference(plain.stdout, outcome.stdout)}`;
        return call.process > 0 && outcome.left.length > 0 ? `left ${outcome.left.join(" ")}` : undefined;
      });
      assert.deepEqual(problems, []);
    });
  });
