import { readPorts } from "../../container/ports.js";
import { BrigError } from "../../error/brig-error.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker port",
  usage: ["docker port CONTAINER [PRIVATE_PORT[/PROTO]]"],
  options: [],
  minOperands: 1,
  maxOperands: 2,
  async run({ operands: [reference, asked] }) {
    const { container } = await takeContainer(reference!);
    const wanted = asked === undefined || asked.includes("/") ? asked : `${asked}/tcp`;
    const bound = Object.entries(readPorts(container)).flatMap(([port, places]) => (places && (wanted === undefined || port === wanted) ? [[port, places] as const] : []));
    if (wanted !== undefined && bound.length === 0) throw new BrigError(`No public port '${wanted}' published for ${reference}`, { code: "BRIG_NO_SUCH_PORT", exitCode: 1 });
    const show = (port: string, { HostIp, HostPort }: { HostIp: string; HostPort: string }): string => `${wanted === undefined ? `${port} -> ` : ""}${HostIp || "0.0.0.0"}:${HostPort}\n`;
    print(bound.flatMap(([port, places]) => places.map((place) => show(port, place))).join(""));
  },
};
