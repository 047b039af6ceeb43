import { resolve } from "node:path";
import { exportRaw, exportTar } from "../../machine/images/export.js";
import { imageError } from "../../machine/images/image-error.js";
import { importFolder, importRaw, importTar } from "../../machine/images/import.js";
import { nameAfter, requireMachineName } from "../../machine/images/names.js";
import { pullImage, requireUrl } from "../../machine/images/pull.js";
import { cancelTransfer, listTransfers } from "../../machine/images/transfers.js";
import { renderSystemdTable } from "../../tools/machinectl/table.js";
import { print, printError } from "../output/print.js";
import type { AskedVerb } from "./words.js";

export async function runTransferVerb(asked: AskedVerb): Promise<number> {
  const { verb, operands, options } = asked;
  const [first = "", second] = operands;
  switch (verb) {
    case "import-tar": case "import-raw": case "import-fs": await runImport(asked); break;
    case "pull-tar": case "pull-raw": await runPull(asked); break;
    case "export-tar": await exportTar(first, pathOf(second), { format: options.format }); break;
    case "export-raw": await exportRaw(first, pathOf(second), { format: options.format }); break;
    case "list-transfers": showTransfers(options.legend); break;
    case "cancel-transfer": for (const id of operands) cancelTransfer(id); break;
  }
  return 0;
}

function pathOf(word: string | undefined): string | undefined {
  return word === undefined || word === "-" ? undefined : resolve(word);
}

async function runImport({ verb, operands: [source = "", given], options }: AskedVerb): Promise<void> {
  const path = source === "-" ? source : resolve(source);
  const name = requireName(given ?? (source === "-" ? undefined : nameAfter(path)));
  const how = { readonly: options.readonly, force: options.force };
  if (!options.quiet) printError(`Importing '${source === "-" ? "stdin" : path}', saving as '${name}'.`);
  if (verb === "import-tar") await importTar(path, name, how);
  else await (verb === "import-raw" ? importRaw : importFolder)(path, name, how);
  if (!options.quiet) printError("Operation completed successfully.");
}

async function runPull({ verb, operands: [source = "", given], options }: AskedVerb): Promise<void> {
  const url = requireUrl(source);
  const name = requireName(given === undefined || given === "" ? nameAfter(url) : given);
  if (!options.quiet) printError(`Pulling '${url}', saving as '${name}'.`);
  const onProgress = options.quiet ? undefined : tellTenths();
  const how = { readonly: options.readonly, force: options.force, verify: options.verify };
  await pullImage(verb === "pull-tar" ? "tar" : "raw", url, name, { ...how, ...(onProgress ? { onProgress } : {}) });
  if (!options.quiet) printError("Operation completed successfully.");
}

function tellTenths(): (part: number) => void {
  let told = 0;
  return (part) => {
    const tenth = Math.floor(part * 10);
    if (tenth > told) printError(`Got ${tenth * 10}%.`);
    told = Math.max(told, tenth);
  };
}

function requireName(name: string | undefined): string {
  if (name === undefined) throw imageError("Need either path or local name.", "BRIG_BAD_USAGE", "say what the image shall be called");
  return requireMachineName(name);
}

function showTransfers(legend: boolean): void {
  print(renderSystemdTable(["ID", "LOCAL", "SINCE"], listTransfers().map(({ id, name, since }) => [String(id), name, since]), legend, "transfers"));
}
