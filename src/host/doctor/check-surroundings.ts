import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { readNumber, readWord } from "../read-text.js";
import type { Checkup, Finding } from "./finding.js";

/** Settings of the host that weaken or carry every sandbox on it. */
export function checkSurroundings(checkup: Checkup): Finding[] {
  return [checkRunFolder(checkup), checkPtrace(checkup), checkCorePattern(checkup), checkKernelLog(checkup), checkTerminal(checkup), checkPrivileged(checkup)];
}

function checkRunFolder({ root, facts, env }: Checkup): Finding {
  const base = { topic: "run folder", means: "each running sandbox has a folder there: its state, exit status and log" };
  const folder = facts.euid === 0 ? "/run" : env["XDG_RUNTIME_DIR"];
  if (!folder) return { ...base, state: "limited", what: `XDG_RUNTIME_DIR is not set; /tmp/brig-${facts.euid} is used`, fix: "log in through PAM (pam_systemd sets it), or export it as a folder that is yours, mode 0700" };
  const path = join(root, folder);
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch {
    return { ...base, state: "missing", required: true, what: `${folder} cannot be written`, fix: facts.euid === 0 ? `mount -t tmpfs -o mode=0755 tmpfs ${folder}` : `mkdir -m 0700 ${folder}` };
  }
  const { uid, mode } = statSync(path);
  if (facts.euid !== 0 && (uid !== facts.euid || (mode & 0o022) !== 0))
    return { ...base, state: "missing", required: true, what: `${folder} belongs to or can be written by somebody else`, fix: `export XDG_RUNTIME_DIR to a folder that is yours, mode 0700` };
  return { ...base, state: "ok", what: `${folder} can be written` };
}

function checkPtrace({ root }: Checkup): Finding {
  const scope = readNumber(join(root, "proc/sys/kernel/yama/ptrace_scope"));
  const base = { topic: "ptrace scope", means: "with it a process without walls may not read the memory of your other processes; sandboxes are kept apart without it" };
  if (scope === undefined) return { ...base, state: "limited", what: "the kernel has no Yama", fix: "add yama to the lsm= kernel argument" };
  if (scope === 0) return { ...base, state: "limited", what: "0: any process of the same user", fix: "sysctl kernel.yama.ptrace_scope=1" };
  return { ...base, state: "ok", what: String(scope) };
}

/** A pipe handler is started by the kernel on the host, as root, with what a sandbox's payload crashed with (core(5)). */
function checkCorePattern({ root }: Checkup): Finding {
  const pattern = readWord(join(root, "proc/sys/kernel/core_pattern")) ?? "core";
  const base = { topic: "core dumps", means: "a crash in a sandbox hands the payload's memory to this program outside, which parses it" };
  if (!pattern.startsWith("|")) return { ...base, means: "a crash in a sandbox writes its core file inside", state: "ok", what: pattern };
  return { ...base, state: "limited", what: `piped to ${pattern.slice(1).split(" ")[0]}, which runs as root outside of the sandbox`, fix: "sysctl kernel.core_pattern=core, or a core limit of 1 byte for each sandbox, which a pipe takes for a refusal (it ignores 0, core(5))" };
}

function checkKernelLog({ root }: Checkup): Finding {
  const base = { topic: "kernel log", means: "kernel addresses and what other users did stand in it" };
  if (readNumber(join(root, "proc/sys/kernel/dmesg_restrict")) === 1) return { ...base, state: "ok", what: "kernel.dmesg_restrict is 1" };
  return { ...base, state: "limited", what: "kernel.dmesg_restrict is 0: anyone may read it where seccomp does not refuse syslog(2)", fix: "sysctl kernel.dmesg_restrict=1" };
}

function checkTerminal({ root }: Checkup): Finding {
  const base = { topic: "terminal injection", means: "a program that shares your terminal may type into it (TIOCSTI); brig gives a sandbox a terminal of its own" };
  if (readNumber(join(root, "proc/sys/dev/tty/legacy_tiocsti")) === 0) return { ...base, state: "ok", what: "dev.tty.legacy_tiocsti is 0" };
  return { ...base, state: "limited", what: "the kernel allows it", fix: "sysctl dev.tty.legacy_tiocsti=0 (Linux 6.2 or later)" };
}

function checkPrivileged({ root }: Checkup): Finding {
  const bpf = readNumber(join(root, "proc/sys/kernel/unprivileged_bpf_disabled"));
  const base = { topic: "unprivileged bpf", means: "kernel code that a payload may reach where seccomp does not refuse bpf(2); brig's default filter does" };
  if (bpf === 0) return { ...base, state: "limited", what: "kernel.unprivileged_bpf_disabled is 0", fix: "sysctl kernel.unprivileged_bpf_disabled=2" };
  return { ...base, state: "ok", what: bpf === undefined ? "the kernel has none" : `kernel.unprivileged_bpf_disabled is ${bpf}` };
}
