/** An IPv4 address as a number. */
export function addressNumber(address: string): number {
  return address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** "4.0a000001", "6.fd00…": a place as `launcher/serve.h` reads it. */
export function hexOf(address: string): string {
  if (!address.includes(":")) return `4.${addressNumber(address).toString(16).padStart(8, "0")}`;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const plain = dotted ? `${dotted[1]}${toGroups(addressNumber(dotted[2] ?? ""))}` : address;
  const [head = "", rest] = plain.split("::");
  const left = head.split(":").filter(Boolean);
  const right = (rest ?? "").split(":").filter(Boolean);
  const zeros = rest === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return `6.${[...left, ...zeros, ...right].map((group) => group.padStart(4, "0")).join("")}`;
}

function toGroups(value: number): string {
  return `${Math.floor(value / 65536).toString(16)}:${(value % 65536).toString(16)}`;
}

/** The addresses of an IPv4 network, or of a part of it, that a member can have; `base` is the network's own. */
export function readPrefix(subnet: string, range?: string): { first: number; last: number; base: number; bits: number } {
  const [address = "", bits = "24"] = subnet.split("/");
  const base = addressNumber(address);
  const end = base + 2 ** (32 - Number(bits)) - 1;
  const [from = "", part = "32"] = (range ?? subnet).split("/");
  const start = addressNumber(from);
  return { first: Math.max(base + 1, start), last: Math.min(end - 1, start + 2 ** (32 - Number(part)) - 1), base, bits: Number(bits) };
}
