import { realpathSync } from "node:fs";
import { readAccounts } from "../../host/accounts.js";
import { readTextInRoot } from "../../host/read-in-root.js";
import { resolveIdentity } from "../../tools/chroot/accounts.js";
import type { Spec } from "../../spec/oci.js";
import { parseChroot, type ChrootOptions } from "../../tools/chroot/grammar.js";
import { HOST_FILES } from "../../tools/chroot/mounts.js";
import { chrootHelp } from "../../tools/chroot/help.js";
import { buildChrootSpec, quoteFor } from "../../tools/chroot/spec.js";
import { readToolContext } from "../../tools/grammar/context.js";
import type { CommandForm } from "../grammar.js";
import { print, printError } from "../output/print.js";
import { launchSpec, runAsTool, type ToolRun } from "../soft-tool.js";
import { version } from "../version.js";

export const command: CommandForm = {
  name: "chroot",
  usage: ["chroot [OPTION] NEWROOT [COMMAND [ARG]...]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig chroot --proc --tmpfs /home/user:size=100m --resolv-conf copy my_deb", what: "a system to work in, whose home is lost on exit" },
    { words: "brig chroot /chroot /bin/bash", what: "a shell whose / is the folder" },
    { words: "brig chroot --hardened my_deb /bin/bash", what: "the same with every other wall" },
  ],
  run: ({ operands }) =>
    runAsTool("chroot", "chroot: ", operands, async (run) => {
      const asked = parseChroot(operands, isOldRoot);
      if (asked === "help") return print(chrootHelp), 0;
      if (asked === "version") return print(`chroot of brig ${version}, with the options of GNU coreutils 9.1`), 0;
      return await enter(run, asked);
    }),
};

async function enter(run: ToolRun, asked: ChrootOptions): Promise<number> {
  const context = readToolContext(run.host);
  const inner = readAccounts((path) => readTextInRoot(asked.newRoot, path));
  const words = { userspec: asked.userspec?.value, groups: asked.groups?.value };
  const identity = resolveIdentity(words, inner, context.accounts, quoteFor(context.env));
  if (identity.warning !== undefined) printError(`chroot: ${identity.warning}`);
  await copyHostFiles(asked);
  if (!asked.hardened) return await launchSpec(run, await addAskedDisplay(run, asked, buildChrootSpec(asked, identity, context)));
  const { buildHardenedSpec } = await import("../../tools/chroot/hardened.js");
  return await launchSpec(run, buildHardenedSpec(asked, identity, context, run.host));
}

async function addAskedDisplay({ host }: ToolRun, { x11 }: ChrootOptions, spec: Spec): Promise<Spec> {
  if (!x11) return spec;
  const { addDisplay } = await import("../../tools/chroot/display.js");
  return addDisplay(spec, x11, readToolContext(host), host);
}

/** As the article does it: cp /etc/resolv.conf ROOT/etc/resolv.conf. */
async function copyHostFiles(asked: ChrootOptions): Promise<void> {
  const wanted = (["resolvConf", "timezone"] as const).filter((key) => asked[key]?.value === "copy");
  if (wanted.length === 0) return;
  const { copyHostFile } = await import("../../rootfs/copy-host-file.js");
  for (const key of wanted) copyHostFile(asked.newRoot, HOST_FILES[key]);
}

function isOldRoot(path: string): boolean {
  try {
    return realpathSync(path) === "/";
  } catch {
    return false;
  }
}
