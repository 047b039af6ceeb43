import { createHash } from "node:crypto";
import type { Origin } from "../../spec/extension.js";
import type { Draft } from "./draft.js";
import { findReal } from "./paths.js";

/**
 * A file of the sandbox's own in place of one of the host's. It lies in the caller's own folder, named by its content,
 * since nothing may be written into the host's folders that the sandbox shows.
 */
export function stageFile(draft: Draft, destination: string, content: string, origin: Origin): void {
  const name = createHash("sha256").update(content).digest("hex").slice(0, 32);
  const path = `${draft.context.stage}/${name}`;
  draft.staged.push({ path, content });
  draft.view.bind(findReal(destination) ?? destination, path, origin, { readonly: true, noexec: true, nosuid: true, nodev: true });
}
