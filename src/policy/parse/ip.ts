import { type Address, formatAddress, readAddress } from "../../network/rules/address.js";
import { refuseValue } from "./bad-value.js";

/** An interface's address, in canonical form, with the length of its network's prefix. */
export interface InterfaceAddress {
  address: string;
  family: 4 | 6;
  bits: number;
}

/** "10.1.2.3/24", "fd00::2/64". @throws BrigError BRIG_BAD_VALUE */
export function parseInterfaceAddress(value: string, where = "ip"): InterfaceAddress {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(value);
  const address = readAddress(match?.[1] ?? "");
  const bits = Number(match?.[2]);
  if (!address || bits < 1 || bits > (address.family === 4 ? 32 : 128)) refuseValue(value, where, "is no address with its network", 'write it as in "10.1.2.3/24"');
  return { address: formatAddress(address as Address), family: (address as Address).family, bits };
}

/** "10.1.2.1". @throws BrigError BRIG_BAD_VALUE */
export function parsePlainAddress(value: string, where = "gateway"): string {
  const address = readAddress(value);
  if (!address) refuseValue(value, where, "is no IP address", 'write it as in "10.1.2.1"');
  return formatAddress(address as Address);
}

/** A resolver: "10.0.0.1", with a port "10.0.0.1:5353" or "[::1]:5353". @throws BrigError BRIG_BAD_VALUE */
export function parseResolver(value: string, where = "dns"): { address: string; port: number } {
  const match = readAddress(value) ? [value, value] : /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(value);
  const address = readAddress(match?.[1] ?? match?.[2] ?? "");
  const port = Number(match?.[3] ?? 53);
  if (!address || port < 1 || port > 65535) refuseValue(value, where, "is no resolver's address", 'write it as in "10.0.0.1" or "10.0.0.1:5353"');
  return { address: formatAddress(address as Address), port };
}
