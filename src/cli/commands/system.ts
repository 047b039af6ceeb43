import { BrigError } from "../../error/brig-error.js";
import { measureImages } from "../../image/disk-usage.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm } from "../grammar.js";
import { showDockerSize } from "../output/docker-words.js";
import { sweepUsers } from "../images/running.js";
import { printListing } from "../output/listing.js";

export const command: CommandForm = {
  name: "system",
  usage: ["system df [--format FORMAT]"],
  description: "df says how much of the disk images take, and how much of that no container uses.",
  options: [{ name: "format", value: "FORMAT", help: "table, json, or a template" }],
  minOperands: 1,
  maxOperands: 1,
  operands: ["df"],
  examples: [{ words: "brig system df", what: "before brig image prune" }],
  async run(words) {
    if (words.operands[0] !== "df") throw new BrigError(`brig system has no command ${JSON.stringify(words.operands[0])}`, { code: "BRIG_BAD_USAGE", exitCode: 1, hint: "brig system df" });
    await sweepUsers();
    const { images, active, bytes, reclaimable } = await measureImages(await openImageStore());
    const share = bytes > 0 ? ` (${Math.floor((reclaimable / bytes) * 100)}%)` : "";
    const rows = [{ Type: "Images", TotalCount: String(images), Active: String(active), Size: showDockerSize(bytes), Reclaimable: showDockerSize(reclaimable) + share }];
    printListing({ format: words.value("format"), columns: [["Type", "TYPE"], ["TotalCount", "TOTAL"], ["Active", "ACTIVE"], ["Size", "SIZE"], ["Reclaimable", "RECLAIMABLE"]], rows });
  },
};
