import type { Lack, UnitLine } from "./draft.js";
import { quoteArgument } from "./quote.js";

/** What of a service has nothing to do with its walls. */
export interface ServiceWords {
  description: string;
  /** "simple", "exec", "forking", "oneshot", "notify" … (systemd.service(5)). */
  type: string;
  /** Commands before it, as root and without its walls. */
  before: string[];
  after: string[];
  wantedBy: string;
  restart: string;
}

/** A service whose walls are systemd's own directives. */
export function renderUnit(lines: readonly UnitLine[], words: ServiceWords): string {
  const body = lines.flatMap(({ name, value, comment }) => [...(comment === undefined ? [] : [`# ${comment}`]), `${name}=${value}`]);
  return renderFile(words, [], body);
}

/** A service that is started by a compiled plan, which makes all walls. */
export function renderPlanUnit(plan: string, lacks: readonly Lack[], words: ServiceWords): string {
  const why = lacks.map(({ what, origin }) => `#   ${what}${origin === undefined ? "" : ` (${origin})`}`);
  const head = ["# The walls are made by a plan of brig's, for systemd has no words for:", ...why];
  return renderFile(words, head, [`ExecStart=${quoteArgument(plan)}`, "# the plan makes cgroups of its own below the service's", "Delegate=yes", "KillMode=mixed"]);
}

function renderFile({ description, type, before, after, wantedBy, restart }: ServiceWords, head: readonly string[], body: readonly string[]): string {
  const unit = [`Description=${description.replaceAll("%", "%%").replaceAll("\n", " ")}`, ...(after.length > 0 ? [`After=${after.join(" ")}`] : [])];
  // a script that sets the root up is not in it
  const preparation = before.length > 0 ? [...before.map((command) => `ExecStartPre=+${command}`), "RootDirectoryStartOnly=yes"] : [];
  const service = [`Type=${type}`, ...preparation, `Restart=${restart}`];
  return [...head, "[Unit]", ...unit, "", "[Service]", ...service, ...body, "", "[Install]", `WantedBy=${wantedBy}`, ""].join("\n");
}
