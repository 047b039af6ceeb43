import { BrigError } from "../../error/brig-error.js";

/** Where `ip netns` and brig both keep names, and where a namespace's own /etc files are. */
export const RUN_FOLDER = "/run/netns";
export const ETC_FOLDER = "/etc/netns";

/** ip's status for words that it refuses. */
export const EXIT_REFUSED = 255;
export const EXIT_FAILURE = 1;

const NAME_MAX = 255;

/** A failure in ip's words, with its status: 1 unless it says otherwise. */
export function netnsError(message: string, exitCode: number = EXIT_FAILURE, hint?: string): BrigError {
  return new BrigError(message, { code: "BRIG_NETNS", exitCode, hint });
}

/**
 * A name is one file name. Control characters, which ip lets pass, would forge lines of `list`.
 * @throws BrigError in ip's words
 */
export function requireName(name: string | undefined): string {
  if (name === undefined) throw netnsError("No netns name specified");
  // eslint-disable-next-line no-control-regex
  if (name === "" || name === "." || name === ".." || Buffer.byteLength(name) > NAME_MAX || /[/\u0000-\u001f\u007f]/.test(name))
    throw netnsError(`Invalid netns name ${JSON.stringify(name)}`, EXIT_REFUSED);
  return name;
}

/** The file that keeps a namespace alive. */
export function netnsPath(name: string): string {
  return `${RUN_FOLDER}/${name}`;
}
