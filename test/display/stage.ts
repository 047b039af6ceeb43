import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { encodeCookie, FAMILY_WILD, MAGIC_COOKIE, parseAuthority } from "../../src/display/untrusted/authority.js";
import { openDisplay } from "../../src/display/untrusted/x-connection.js";
import type { Person } from "../sandbox/stage.js";
import { type Picture, readPicture } from "./picture.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The reason to skip where one of these programs is missing. */
export function lacks(...programs: string[]): string | false {
  const missing = programs.filter((name) => spawnSync("sh", ["-c", 'command -v "$1"', "sh", name], { env: { PATH } }).status !== 0);
  return missing.length > 0 && `${missing.join(" and ")} is not installed`;
}

/** Puts the sandbox's socket where X programs look, in a mount namespace of its own, and runs one with its cookie. */
const FROM_OUTSIDE = `mount --bind "$1/client" /mnt && mount --bind "$1/socket" /media && mount -t tmpfs none /tmp &&
mkdir /tmp/.X11-unix && mount --bind /media /tmp/.X11-unix && shift && exec env DISPLAY=:200 XAUTHORITY="\${COOKIES-/mnt/Xauthority}" "$@"`;

/** Runs an X program on the display of a sandbox, from outside. */
export function runOutside({ runFolder }: Person, id: string, words: string[], cookies?: string) {
  const apart = process.getuid?.() === 0 ? ["unshare", "-m"] : ["unshare", "-Urm"];
  const env = { PATH, ...(cookies === undefined ? {} : { COOKIES: cookies }) };
  const [program = "", ...rest] = [...apart, "sh", "-c", FROM_OUTSIDE, "sh", `${runFolder}/${id}/display`, ...words];
  return spawnSync(program, rest, { env, maxBuffer: 64 << 20, timeout: 20_000 });
}

export function takePicture(person: Person, id: string): Picture {
  const { stdout, stderr, status } = runOutside(person, id, ["xwd", "-root", "-silent"]);
  if (status !== 0) throw new Error(`xwd: ${status} ${stderr}`);
  return readPicture(stdout);
}

/** Presses a key and lets it go, as a keyboard of the display would: XTEST's FakeInput. */
export async function pressKey(folder: string, socket = `${folder}/socket/X200`, cookies = `${folder}/client/Xauthority`): Promise<void> {
  const display = await openDisplay(socket, parseAuthority(readFileSync(cookies))[0]);
  const opcode = (await display.findExtension("XTEST"))!;
  for (const type of [2, 3]) {
    const event = Buffer.alloc(32);
    event[0] = type;
    event[1] = 38; // a
    await display.tell(opcode, 2, event);
  }
  display.close();
}

/** Looks again until the picture is as it shall be. */
export async function seePicture(take: () => Picture, holds: (picture: Picture) => boolean): Promise<Picture> {
  for (const end = Date.now() + 20_000; ; ) {
    const picture = take();
    if (holds(picture)) return picture;
    if (Date.now() > end) throw new Error(`the picture of ${picture.width}x${picture.height} stays another one; its first pixel is ${picture.at(0, 0).toString(16)}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** An X server that stands for the host's, with a cookie for whoever may read `cookies`. */
export interface HostDisplay {
  env: { DISPLAY: string; XAUTHORITY: string };
  number: number;
  run(words: string[], cookies?: string): SpawnSyncReturns<Buffer>;
  takePicture(): Picture;
  start(...words: string[]): void;
}

export async function startHostDisplay(t: TestContext, uid: number, ...more: string[]): Promise<HostDisplay> {
  const folder = mkdtempSync("/tmp/brig-host-display-");
  const cookies = join(folder, "cookies");
  writeFileSync(cookies, encodeCookie({ family: FAMILY_WILD, address: Buffer.alloc(0), number: "", name: MAGIC_COOKIE, data: randomBytes(16) }));
  const running: ReturnType<typeof spawn>[] = [];
  t.after(() => {
    for (const child of running.reverse()) child.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });
  const server = spawn("Xvfb", ["-displayfd", "3", "-auth", cookies, "-nolisten", "tcp", "-noreset", "-screen", "0", "800x600x24", ...more], { env: { PATH }, stdio: ["ignore", "ignore", "ignore", "pipe"] });
  running.push(server);
  const number = Number(await new Promise<string>((done) => (server.stdio[3] as NodeJS.ReadableStream).once("data", (bytes: Buffer) => done(bytes.toString().trim()))));
  spawnSync("chown", ["-R", String(uid), folder]);
  const env = { DISPLAY: `:${number}`, XAUTHORITY: cookies };
  const run: HostDisplay["run"] = ([program = "", ...rest], with_ = cookies) => spawnSync(program, rest, { env: { PATH, ...env, XAUTHORITY: with_ }, maxBuffer: 64 << 20, timeout: 20_000 });
  return {
    env,
    number,
    run,
    takePicture: () => readPicture(run(["xwd", "-root", "-silent"]).stdout),
    start: (program = "", ...rest) => void running.push(spawn(program, rest, { env: { PATH, ...env }, stdio: "ignore" })),
  };
}
