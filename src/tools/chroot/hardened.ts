import type { HostFacts } from "../../host/facts.js";
import { buildSpec } from "../../policy/build-spec.js";
import type { SandboxOptions } from "../../policy/options.js";
import type { Origin } from "../../spec/extension.js";
import type { Spec } from "../../spec/oci.js";
import type { ToolContext } from "../grammar/context.js";
import { resolveFrom } from "../grammar/program.js";
import type { Identity } from "./accounts.js";
import type { ChrootOptions } from "./grammar.js";
import { defaultCommand } from "./spec.js";

/** The same root with every other wall of brig's safe default: `brig run --root NEWROOT --cwd /`. */
export function buildHardenedSpec(asked: ChrootOptions, identity: Identity, context: ToolContext, host: HostFacts): Spec {
  const origins: Record<string, Origin> = {
    "/root": { kind: "flag", text: asked.newRoot },
    "/cwd": { kind: "tool", text: "chroot --hardened starts at the root's top" },
    "/project": { kind: "tool", text: "chroot --hardened shows nothing of the host's" },
  };
  if (asked.userspec) origins["/user"] = { kind: "flag", text: asked.userspec.text };
  if (asked.x11) origins["/x11"] = { kind: "flag", text: asked.x11.text };
  const display = asked.x11 ? { x11: asked.x11.value } : {};
  const { uid = 0, gid = uid } = identity;
  const user = asked.userspec ? { user: `${uid}:${gid}` } : {};
  asked.tmpfs.forEach(({ text }, index) => (origins[`/tmpfs/${index}`] = { kind: "flag", text }));
  const files: Pick<SandboxOptions, "resolvConf" | "timezone"> = {};
  for (const key of ["resolvConf", "timezone"] as const) {
    const wish = asked[key];
    if (wish === undefined) continue;
    files[key] = wish.value === "bind" ? "bind" : "off";
    origins[`/${key}`] = { kind: "flag", text: wish.text };
  }
  const root = resolveFrom(context.cwd, asked.newRoot);
  return buildSpec({ root, cwd: "/", project: "none", tmpfs: asked.tmpfs.map(({ value }) => value), ...files, ...display, ...user }, defaultCommand(asked.command, context.env), {
    cwd: context.cwd,
    env: context.env,
    home: context.env.HOME ?? "/",
    host,
    origins,
  });
}
