import { refuseValue } from "./bad-value.js";

/** Who the payload is: numbers, or names that are looked up inside. */
export interface UserWords {
  user: number | string;
  group?: number | string;
}

/** The kernel reads 2^32 - 1 as "leave as it is" (setresuid(2)), so that it is nobody's id. */
const HIGHEST_ID = 2 ** 32 - 2;
const HINT = "write UID, UID:GID, NAME or NAME:GROUP";

/**
 * "UID[:GID]", or names in place of the numbers, as docker's `--user`.
 *
 * @throws BrigError BRIG_BAD_VALUE: empty, an id beyond 2^32 - 2, a character that no name in passwd(5) has
 */
export function parseUser(value: string, where = "user"): UserWords {
  const [user = "", group, ...more] = value.split(":");
  if (more.length > 0) refuseValue(value, where, "is not a user", HINT);
  const words: UserWords = { user: readId(user, value, where) };
  if (group !== undefined) words.group = readId(group, value, where);
  return words;
}

function readId(text: string, value: string, where: string): number | string {
  if (/^\d+$/.test(text)) {
    const id = Number(text);
    if (id > HIGHEST_ID) refuseValue(value, where, "has an id that does not exist", `ids are 0 to ${HIGHEST_ID}`);
    return id;
  }
  if (!/^[A-Za-z_][A-Za-z0-9_.@-]{0,254}\$?$/.test(text)) refuseValue(value, where, "is not a user", HINT);
  return text;
}
