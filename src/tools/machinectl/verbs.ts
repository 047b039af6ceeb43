import { machinectlError } from "./errors.js";

/** How many operands each verb takes, as machinectl 252 has it. */
const VERBS = {
  list: [0, 0],
  "list-images": [0, 0],
  status: [1, Infinity],
  "image-status": [0, Infinity],
  show: [0, Infinity],
  "show-image": [0, Infinity],
  start: [0, Infinity],
  login: [0, 1],
  shell: [0, Infinity],
  enable: [1, Infinity],
  disable: [1, Infinity],
  poweroff: [1, Infinity],
  stop: [1, Infinity],
  reboot: [1, Infinity],
  terminate: [1, Infinity],
  kill: [1, Infinity],
  "copy-to": [2, 3],
  "copy-from": [2, 3],
  bind: [2, 3],
  clone: [2, 2],
  rename: [2, 2],
  "read-only": [1, 2],
  remove: [1, Infinity],
  "set-limit": [1, 2],
  clean: [0, 0],
  "pull-tar": [1, 2],
  "pull-raw": [1, 2],
  "import-tar": [1, 2],
  "import-raw": [1, 2],
  "import-fs": [1, 2],
  "export-tar": [1, 2],
  "export-raw": [1, 2],
  "list-transfers": [0, 0],
  "cancel-transfer": [1, Infinity],
  help: [0, Infinity],
} as const satisfies Record<string, readonly [number, number]>;

export type Verb = keyof typeof VERBS;

export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word);
}

/** @throws BrigError in machinectl's words */
export function checkVerb(word: string, operands: readonly string[]): Verb {
  if (!isVerb(word)) throw machinectlError(`Unknown command verb ${word}.`, "BRIG_BAD_USAGE", "brig machinectl --help lists them");
  const [least, most] = VERBS[word];
  if (operands.length < least) throw machinectlError("Too few arguments.", "BRIG_BAD_USAGE");
  if (operands.length > most) throw machinectlError("Too many arguments.", "BRIG_BAD_USAGE");
  return word;
}
