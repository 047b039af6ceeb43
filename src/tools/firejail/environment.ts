import type { Draft } from "./draft.js";

/** Brig's own, which say nothing to a payload. */
const OWN = ["BRIG_CLI", "BRIG_NODE", "BRIG_NO_CACHE", "BRIG_LAUNCHER"];

/** The caller's environment, put together anew at each start: what is not set or dropped here is passed as it then is. */
export function inheritEnvironment(draft: Draft): void {
  draft.extension.environment = { inherit: true, unset: [...OWN] };
  draft.process.env = [];
}

export function setVariable(draft: Draft, name: string, value: string): void {
  draft.extension.environment!.unset = draft.extension.environment!.unset.filter((each) => each !== name);
  draft.process.env = [...draft.process.env!.filter((entry) => !isNamed(entry, name)), `${name}=${value}`];
}

export function dropVariable(draft: Draft, name: string): void {
  draft.process.env = draft.process.env!.filter((entry) => !isNamed(entry, name));
  const { unset } = draft.extension.environment!;
  if (!unset.includes(name)) unset.push(name);
}

/** What the payload will find. */
export function readVariable(draft: Draft, name: string): string | undefined {
  const own = draft.process.env!.find((entry) => isNamed(entry, name));
  if (own !== undefined) return own.slice(name.length + 1);
  return draft.extension.environment!.unset.includes(name) ? undefined : draft.context.env[name];
}

function isNamed(entry: string, name: string): boolean {
  return entry.startsWith(`${name}=`);
}
