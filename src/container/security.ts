import { defaultSeccomp } from "../plan/seccomp/default.js";
import type { HostFacts } from "../host/facts.js";
import type { Seccomp } from "../spec/oci.js";
import { BrigError } from "../error/brig-error.js";
import { convertDockerSeccomp } from "./docker-seccomp.js";
import type { HostConfig } from "./model.js";

export interface Security {
  seccomp?: Seccomp;
  noNewPrivileges: boolean;
  /** /proc and /sys as the kernel shows them. */
  unmasked: boolean;
}

/**
 * What `--security-opt` and `--privileged` come to. A word that brig cannot honour is an error.
 * @throws BrigError BRIG_BAD_VALUE, BRIG_BAD_SECCOMP
 */
export function chooseSecurity({ SecurityOpt, Privileged }: HostConfig, capabilities: string[], host: HostFacts): Security {
  const security: Security = { noNewPrivileges: !Privileged, unmasked: Privileged };
  let filter: string | undefined = Privileged ? "unconfined" : undefined;
  for (const option of SecurityOpt) {
    const [name = "", value] = splitOption(option);
    if (name === "no-new-privileges") security.noNewPrivileges = value === undefined || value === "true";
    else if (name === "seccomp") filter = value;
    else if (name === "systempaths" && value === "unconfined") security.unmasked = true;
    else if (!isOff(name, value)) throw refuse(option);
  }
  if (filter === "unconfined") return security;
  const held = new Set(capabilities);
  security.seccomp = filter === undefined ? defaultSeccomp({ capabilities: held, nestedNamespaces: held.has("CAP_SYS_ADMIN") }) : convertDockerSeccomp(parse(filter), capabilities, host.kernel);
  return security;
}

/** "name=value", or as older clients write it "name:value". */
function splitOption(option: string): [string, string | undefined] {
  const [, name, value] = /^([a-z-]+)(?:[=:](.*))?$/s.exec(option) ?? [];
  return [name ?? option, value];
}

/** brig loads no AppArmor profile and sets no label: that there is none is what it does anyway. */
function isOff(name: string, value: string | undefined): boolean {
  return (name === "apparmor" && value === "unconfined") || (name === "label" && value === "disable");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BrigError(`Decoding seccomp profile failed: ${(error as Error).message}`, { code: "BRIG_BAD_SECCOMP", hint: "--security-opt seccomp=FILE names a file of JSON", cause: error });
  }
}

function refuse(option: string): BrigError {
  return new BrigError(`invalid --security-opt ${JSON.stringify(option)}`, {
    code: "BRIG_BAD_VALUE", hint: "no-new-privileges[=false], seccomp=FILE|unconfined, systempaths=unconfined, apparmor=unconfined, label=disable",
  });
}
