import type { HostFacts } from "../../host/facts.js";
import { readText } from "../../host/read-text.js";
import { buildSpec } from "../../policy/build-spec.js";
import { makeDisplay } from "../../policy/make-display.js";
import { DISPLAY_NUMBER } from "../../spec/extension.js";
import { describeOrigin } from "../../spec/origin.js";
import { type Draft, hide } from "./draft.js";
import { dropVariable, setVariable } from "./environment.js";
import { refuseRule } from "./paths.js";
import { findLast, hasRule, type Rule } from "./rule.js";

/** The host's display out of sight, and what the rule asks for in its place. */
export function applyX11(draft: Draft): void {
  const rule = findLast(draft.rules, "x11");
  if (!rule) return;
  const { env, places } = draft.context;
  hide(draft, "/tmp/.X11-unix", rule.origin);
  hide(draft, `${places.home}/.Xauthority`, rule.origin);
  const { XAUTHORITY: cookie } = env;
  if (cookie?.startsWith("/")) hide(draft, cookie, rule.origin);
  for (const name of ["DISPLAY", "XAUTHORITY"]) dropVariable(draft, name);
  if (reachesAbstract(draft, "@/tmp/.X11-unix/")) closeAbstract(draft, rule);
  if (rule.value !== "none") giveDisplay(draft, rule);
}

/** Firejail wants a network namespace for it; Landlock does it without one. */
function closeAbstract(draft: Draft, rule: Rule): void {
  if (draft.context.host.landlockAbi < 6) throw refuseRule(rule, "BRIG_CANNOT_HIDE_X11", "the X server also listens on an abstract socket, which only a network namespace hides, or Landlock from Linux 6.12 on", "add --net=none, or start the X server with -nolisten local");
  const { scopes = [], ...landlock } = draft.extension.landlock ?? {};
  draft.extension.landlock = { ...landlock, scopes: [...new Set([...scopes, "abstract-unix-socket" as const])], minimumAbi: 6 };
}

/** The cookie stands beside the socket: the rest of the root is the host's. */
const DISPLAY_FOLDER = "/tmp/.X11-unix";

function giveDisplay(draft: Draft, rule: Rule): void {
  const { cwd, env, places, host } = draft.context;
  const screen = findLast(draft.rules, "xephyr-screen");
  const kind = chooseDisplay(rule, env, host);
  const size = kind === "host" ? undefined : (screen?.value ?? draft.context.config.get("xephyr-screen") ?? "800x600");
  const [origin, sizeOrigin] = [describeOrigin(rule.origin), describeOrigin((screen ?? rule).origin)];
  draft.extension.display = makeDisplay({ kind, size, folder: DISPLAY_FOLDER, origin, sizeOrigin }, { cwd, env, home: places.home, host }, buildSpec);
  draft.origins["/annotations/dev.brig.display"] = rule.origin;
  draft.masked.delete(DISPLAY_FOLDER);
  setVariable(draft, "DISPLAY", `:${DISPLAY_NUMBER}`);
  setVariable(draft, "XAUTHORITY", `${DISPLAY_FOLDER}/Xauthority`);
}

const KINDS: Record<string, "xvfb" | "xephyr" | "host"> = { xvfb: "xvfb", xephyr: "xephyr", xorg: "host" };

/** Plain x11 takes a window of its own where there is a display for it, and else a screen in memory. */
function chooseDisplay(rule: Rule, env: NodeJS.ProcessEnv, host: HostFacts): "xvfb" | "xephyr" | "host" {
  if (rule.value === "") return !env["DISPLAY"] ? "xvfb" : host.hasTool("Xephyr") ? "xephyr" : "host";
  const kind = Object.hasOwn(KINDS, rule.value) ? KINDS[rule.value] : undefined;
  if (kind) return kind;
  throw refuseRule(rule, "BRIG_CANNOT_X11", `brig firejail starts no ${rule.value}`, "--x11=xephyr, xvfb, xorg or none");
}

/** Abstract sockets belong to the network namespace; a filter of protocols without unix closes them too. */
function reachesAbstract({ rules }: Draft, prefix: string): boolean {
  if (hasRule(rules, "net", "netns", "interface")) return false;
  const protocols = rules.filter(({ name }) => name === "protocol").flatMap(({ value }) => value.split(","));
  if (protocols.length > 0 && !protocols.includes("unix")) return false;
  return (readText("/proc/net/unix") ?? "").includes(` ${prefix}`);
}
