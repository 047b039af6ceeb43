import type { Accounts } from "../../host/accounts.js";
import { badValue } from "../grammar/numbers.js";
import { EXIT_CANCELED } from "./grammar.js";

/** An identity as chroot's --userspec and --groups give it; what is undefined stays the caller's. */
export interface Identity {
  uid?: number;
  gid?: number;
  /** Supplementary groups. */
  groups?: number[];
  /** Said on standard error, as coreutils does. */
  warning?: string;
}

/**
 * The names are the new root's: the C library would look there, behind chroot(2). What it does not know may be known
 * outside, so `outer` is asked second (chroot.c looks names up before and behind the call).
 * @throws BrigError BRIG_BAD_VALUE, in coreutils' words
 */
export function resolveIdentity(
  asked: { userspec?: string | undefined; groups?: string | undefined },
  inner: Accounts,
  outer: Accounts,
  quote: (text: string) => string,
): Identity {
  const found: Identity = asked.userspec ? parseUserspec(asked.userspec, [inner, outer]) : {};
  if (asked.groups !== undefined) found.groups = parseGroups(asked.groups, [inner, outer], quote);
  if (found.uid !== undefined) completeFromUser(found, [inner, outer]);
  return found;
}

function parseUserspec(text: string, accounts: Accounts[]): Identity {
  const { user, group, dotted } = splitUserspec(text, accounts);
  const found: Identity = {};
  if (user !== "") found.uid = findUser(user, accounts) ?? fail("invalid user");
  if (group !== "") found.gid = findGroup(group, accounts) ?? fail("invalid group");
  if (dotted) found.warning = "warning: '.' should be ':'";
  return found;
}

// "USER.GROUP" is the old form; a user may have a dot in its name, so that is tried first.
function splitUserspec(text: string, accounts: Accounts[]): { user: string; group: string; dotted: boolean } {
  const colon = text.indexOf(":");
  if (colon >= 0) return { user: text.slice(0, colon), group: text.slice(colon + 1), dotted: false };
  const dot = text.indexOf(".");
  if (dot < 0 || findUser(text, accounts) !== undefined) return { user: text, group: "", dotted: false };
  return { user: text.slice(0, dot), group: text.slice(dot + 1), dotted: true };
}

function parseGroups(text: string, accounts: Accounts[], quote: (text: string) => string): number[] {
  if (text === "") return [];
  const names = text.split(",").filter((name) => name !== "");
  if (names.length === 0) return fail(`invalid group list ${quote(text)}`);
  const found = names.map((name) => ({ name, gid: findGroup(name, accounts) }));
  const bad = found.filter(({ gid }) => gid === undefined);
  if (bad.length > 0) return fail(bad.map(({ name }) => `invalid group ${quote(name)}`).join("\n"));
  return found.map(({ gid }) => gid!);
}

function completeFromUser(found: Identity, accounts: Accounts[]): void {
  const user = firstOf(accounts, (some) => some.userById(found.uid!));
  found.gid ??= user?.gid ?? fail(`no group specified for unknown uid: ${found.uid}`);
  if (found.groups) return;
  // The new root's list, also for a user that only the host knows: no group of the host's is given away.
  found.groups = user ? accounts[0]!.groupsOf(user.name, found.gid) : [];
}

function findUser(text: string, accounts: Accounts[]): number | undefined {
  return (text.startsWith("+") ? undefined : firstOf(accounts, (some) => some.userByName(text)?.uid)) ?? parseNumber(text);
}

function findGroup(text: string, accounts: Accounts[]): number | undefined {
  return (text.startsWith("+") ? undefined : firstOf(accounts, (some) => some.groupByName(text)?.gid)) ?? parseNumber(text);
}

function firstOf<T>(accounts: Accounts[], ask: (some: Accounts) => T | undefined): T | undefined {
  for (const some of accounts) {
    const answer = ask(some);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function parseNumber(text: string): number | undefined {
  const id = /^\+?\d+$/.test(text) ? Number(text) : Number.NaN;
  return id <= 0xfffffffe ? id : undefined;
}

function fail(message: string): never {
  throw badValue(message, EXIT_CANCELED);
}
