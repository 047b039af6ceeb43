import { type Grammar, type LongOption, type ParsedOption, parseGetopt } from "../grammar/getopt.js";
import { applyOption, type Key } from "./apply.js";
import { emptyOptions, EXIT_FAILURE, type NspawnOptions } from "./options.js";
import { refuseWords } from "./values.js";

/** What the words ask for, and which settings they make: those beat a settings file's. */
export interface ParsedNspawn {
  options: NspawnOptions;
  given: ReadonlySet<Key>;
  /** The options in their order. */
  typed: readonly { key: Key; value: string | undefined }[];
  /** As typed, by setting. */
  texts: ReadonlyMap<Key, string>;
  warnings: string[];
}

const none = (name: Key): LongOption<Key> => ({ name, argument: "none", key: name });
const required = (name: Key): LongOption<Key> => ({ name, argument: "required", key: name });

const FLAGS: Key[] = ["help", "version", "no-pager", "boot", "ephemeral", "private-network", "network-veth", "read-only", "share-system", "keep-unit", "quiet", "as-pid2", "pipe"];
const VALUED: Key[] = [
  "directory", "template", "user", "uuid", "machine", "hostname", "slice", "setenv", "selinux-context", "selinux-apifs-context", "bind", "bind-ro", "tmpfs",
  "overlay", "overlay-ro", "inaccessible", "register", "network-interface", "network-macvlan", "network-ipvlan", "network-veth-extra", "network-bridge",
  "network-zone", "network-namespace-path", "port", "capability", "drop-capability", "ambient-capability", "link-journal", "image", "personality",
  "kill-signal", "settings", "chdir", "pivot-root", "property", "private-users-ownership", "notify-ready", "root-hash", "root-hash-sig", "verity-data",
  "system-call-filter", "rlimit", "oom-score-adjust", "cpu-affinity", "resolv-conf", "timezone", "oci-bundle", "set-credential", "load-credential",
  "bind-user", "suppress-sync", "no-new-privileges",
];
const OPTIONAL: Key[] = ["volatile", "private-users", "private-users-chown", "console"];

const grammar: Grammar<Key> = {
  tool: "nspawn",
  exitCode: EXIT_FAILURE,
  short: {
    h: { key: "help", argument: "none" },
    D: { key: "directory", argument: "required" },
    u: { key: "user", argument: "required" },
    a: { key: "as-pid2", argument: "none" },
    b: { key: "boot", argument: "none" },
    L: { key: "selinux-apifs-context", argument: "required" },
    M: { key: "machine", argument: "required" },
    j: { key: "journal", argument: "none" },
    S: { key: "slice", argument: "required" },
    Z: { key: "selinux-context", argument: "required" },
    q: { key: "quiet", argument: "none" },
    i: { key: "image", argument: "required" },
    x: { key: "ephemeral", argument: "none" },
    p: { key: "port", argument: "required" },
    n: { key: "network-veth", argument: "none" },
    U: { key: "users", argument: "none" },
    E: { key: "setenv", argument: "required" },
    P: { key: "pipe", argument: "none" },
  },
  long: [...FLAGS.map(none), ...VALUED.map(required), ...OPTIONAL.map((name): LongOption<Key> => ({ name, argument: "optional", key: name }))],
};

/**
 * Understands the words behind "brig nspawn".
 * @throws BrigError BRIG_BAD_OPTION with systemd-nspawn's message
 */
export function parseNspawn(words: string[]): ParsedNspawn | "help" | "version" {
  const { options: parsed, operands } = parseGetopt(grammar, words);
  const options = emptyOptions();
  const texts = new Map<Key, string>();
  const warnings: string[] = [];
  for (const option of parsed) {
    if (option.key === "help" || option.key === "version") return option.key;
    applyOption(options, option.key, option.value, warnings);
    texts.set(option.key, keepText(texts.get(option.key), option));
  }
  options.command = operands;
  checkTogether(options, texts);
  return { options, given: new Set(texts.keys()), typed: parsed, texts, warnings };
}

function keepText(before: string | undefined, { text }: ParsedOption<Key>): string {
  return before === undefined ? text : `${before} ${text}`;
}

/** What cannot go together on one command line (verify_arguments). */
function checkTogether(options: NspawnOptions, texts: ReadonlyMap<Key, string>): void {
  const refuse = (first: string, second: string): never => {
    throw refuseWords(`${first} and ${second} may not be combined.`);
  };
  if (options.directory !== undefined && options.image !== undefined) refuse("--directory=", "--image=");
  if (options.template !== undefined && options.image !== undefined) refuse("--template=", "--image=");
  if (options.template !== undefined && options.directory === undefined && options.machine === undefined) throw refuseWords("--template= needs --directory= or --machine=.");
  if (options.ephemeral && options.template !== undefined) refuse("--ephemeral", "--template=");
  if (texts.has("boot") && texts.has("as-pid2")) refuse("--boot", "--as-pid2");
  if (options.ephemeral && options.readOnly) refuse("--ephemeral", "--read-only");
}
