import { readText } from "../../host/read-text.js";
import { lstatSync } from "node:fs";
import { byFirejail, type Draft } from "./draft.js";

/** What a new home has in it: the shell's start file as /etc/skel has it, and the user's own keys to display and sound. */
export function addHomeFiles(draft: Draft): void {
  const { home } = draft.context.places;
  for (const name of listSkeleton(draft)) {
    const content = readText(`/etc/skel/${name}`);
    draft.context.folders.exists(`/etc/skel/${name}`);
    if (content !== undefined) draft.extension.files.push({ type: "file", path: `${home}/${name}`, mode: 0o644, content });
  }
  for (const name of [".Xauthority", ".asoundrc"]) keepFile(draft, `${home}/${name}`);
}

function listSkeleton({ context }: Draft): string[] {
  const shell = context.env["SHELL"] ?? "";
  if (shell.endsWith("/zsh")) return [".zshrc"];
  if (shell.endsWith("csh")) return [".cshrc"];
  return [".bashrc", ".inputrc"];
}

/** Shown as it is, but not to be changed: it is the host's own file. A link could lead anywhere. */
function keepFile(draft: Draft, path: string): void {
  draft.context.folders.exists(path);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isFile() && stat.uid === draft.context.host.euid) draft.view.bind(path, path, byFirejail("kept in a new home"), { readonly: true });
}
