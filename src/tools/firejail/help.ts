import { directives } from "./directives.js";

const rules = [...directives].filter(([name]) => !["include", "ignore", "whitelist-ro", "shell"].includes(name)).map(([name, argument]) => (argument === "none" ? `--${name}` : argument === "optional" ? `--${name}[=…]` : `--${name}=…`));

/** As firejail --help begins, with the options in columns. */
export const firejailHelp = `brig firejail - run a program in Firejail's sandbox, with Firejail's profiles and without its setuid program

Usage: brig firejail [options] [program and arguments]

Options:
    --profile=NAME|FILE, --noprofile   the profile; default: the program's own, else default.profile
    --ignore=COMMAND                   leave lines of the profile out
    --include=FILE                     read one more profile
    --quiet, --debug                   fewer words, more words
    --trace[=FILE]                     tell each call as it happens
    --build[=FILE]                     write a profile from what the program does
    --output=FILE, --output-stderr=FILE  keep what it says, in files of 500 KB
    --list, --tree, --top, --netstats  what runs, and what it uses
    --shutdown=NAME|PID                end a sandbox
    --join=NAME|PID [COMMAND]          one more command in it
    --join-network=NAME|PID [COMMAND], --join-filesystem=NAME|PID [COMMAND]
    --bandwidth=NAME|PID set INTERFACE DOWNLOAD UPLOAD | clear INTERFACE | status
    --caps.print=NAME|PID, and the same of seccomp, protocol, cpu, dns, profile, fs, apparmor, net, netfilter
    --ls=NAME|PID PATH, --cat=NAME|PID FILE
    --get=NAME|PID FILE, --put=NAME|PID SOURCE DESTINATION
    --symlinks, --symlinks-clean       links to brig for all programs that Firejail lists, in /usr/local/bin or ~/.local/bin
    --debug-caps, --debug-syscalls, --debug-protocols, --debug-errnos
    --version, --help

Options that are also lines of profiles (firejail(1) tells each):
${wrap(rules)}
`;

function wrap(words: readonly string[]): string {
  const lines = [""];
  for (const word of words) {
    if (lines.at(-1)!.length + word.length > 90) lines.push("");
    lines[lines.length - 1] += ` ${word}`;
  }
  return lines.map((line) => `   ${line}`).join("\n");
}
