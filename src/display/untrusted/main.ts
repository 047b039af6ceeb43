import { readFileSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { hostname } from "node:os";
import { chooseCookie, encodeCookie, FAMILY_WILD, MAGIC_COOKIE, parseAuthority } from "./authority.js";
import { generateUntrusted, revoke } from "./security.js";
import { openDisplay, type XConnection, XRefusal } from "./x-connection.js";

/*
 * Gets a cookie from the host's X server for one sandbox, and takes it back at the sandbox's end: a companion
 * (launcher/plan.h, OP_COMPANION). It is told on standard input which display, and in its first word where the cookie
 * goes; LEASH closes at the end.
 */
const LEASH = 3;

interface Wanted {
  socket: string;
  cookies?: string;
  hostNumber: number;
  /** The display's number inside. */
  number: number;
}

async function main(target: string): Promise<void> {
  const wanted = JSON.parse(readFileSync(0, "utf8")) as Wanted;
  const leash = new Socket({ fd: LEASH });
  await refuseOpenDoor(wanted);
  const connection = await openTrusted(wanted);
  const opcode = await connection.findExtension("SECURITY");
  if (opcode === undefined) throw new Error("the X server has no SECURITY extension, and trusts all of its clients; go on with --x11=xephyr or --x11=xvfb");
  const { id, data } = await generateUntrusted(connection, opcode);
  // the file is there already, and belongs to the payload
  writeFileSync(target, encodeCookie({ family: FAMILY_WILD, address: Buffer.alloc(0), number: String(wanted.number), name: MAGIC_COOKIE, data }), { flag: "r+" });
  const end = (): void => void revoke(connection, opcode, id).finally(() => process.exit(0));
  for (const event of ["end", "close", "error"]) leash.once(event, end);
  leash.resume();
  leash.write("r");
}

/** Where the server lets everybody of this host in without a cookie, no cookie makes the payload less than trusted. */
async function refuseOpenDoor({ socket }: Wanted): Promise<void> {
  try {
    (await openDisplay(socket)).close();
  } catch (error) {
    if (error instanceof XRefusal) return;
    throw error;
  }
  throw new Error("the X server takes clients without a cookie, and trusts them: close it with xhost - and xhost -si:localuser:NAME, or go on with --x11=xephyr or --x11=xvfb");
}

async function openTrusted({ socket, cookies, hostNumber }: Wanted): Promise<XConnection> {
  const known = cookies === undefined ? [] : parseAuthority(readFileSync(cookies));
  const cookie = chooseCookie(known, hostname(), hostNumber);
  if (!cookie) throw new Error(`there is no cookie for :${hostNumber} in ${cookies ?? "~/.Xauthority"}: XAUTHORITY names the file that has it`);
  return openDisplay(socket, cookie);
}

main(process.argv[2] ?? "").catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
