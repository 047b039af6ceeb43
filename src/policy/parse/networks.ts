import type { AskedNetwork } from "../../network/named/join.js";
import { refuseValue } from "./bad-value.js";

/** What `net` means besides a network of `brig network`. */
const OTHERS = /^(none|host|user|veth|bridge|macvlan|netns|(netns|bridge|macvlan)=.*)$/s;
const HINT = 'write NAME[:ip=ADDR,ip6=ADDR,mac=ADDR,alias=NAME], several with commas, such as "front:alias=db,back:ip=10.1.2.3"';
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/** Whether the word may name networks of `brig network`. */
export function isNamed(net: string): boolean {
  return net !== "filter" && !OTHERS.test(net) && NAME.test(net.split(/[:,]/, 1)[0] ?? "") && !/^[^:,]*=/.test(net);
}

/** "front", "front:ip=10.1.2.3,alias=db,back": what has an "=" belongs to the network before it. @throws BrigError BRIG_BAD_VALUE */
export function parseNetworks(value: string, where = "net"): AskedNetwork[] {
  const networks: AskedNetwork[] = [];
  for (const part of value.split(/[,:](?=[a-z0-9]+=)|,/)) {
    const [key = "", text] = part.split(/=(.*)/s);
    const last = networks.at(-1);
    if (text === undefined) {
      if (!NAME.test(key)) refuseValue(value, where, "names no network", HINT);
      networks.push({ name: key });
    } else if (!last || text === "") refuseValue(value, where, "names no network", HINT);
    else if (key === "alias") (last.aliases ??= []).push(text);
    else if (key === "ip" || key === "ip6" || key === "mac") last[key] = text;
    else refuseValue(value, where, `has no ${JSON.stringify(key)} for a network`, HINT);
  }
  return networks;
}
