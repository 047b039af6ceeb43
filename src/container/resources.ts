import type { Resources, Rlimit } from "../spec/oci.js";
import type { HostConfig } from "./model.js";

/** More than any service needs, and no fork bomb. Docker has no limit. */
const DEFAULT_PIDS = 4096;
const NANO = 1e9;
const PERIOD_US = 100_000;

/** Memory, processors and processes. A container that asks for nothing is limited in processes alone. */
export function chooseResources(host: HostConfig): Resources {
  const resources: Resources = {};
  const memory = { ...pick("limit", host.Memory), ...pick("swap", host.MemorySwap), ...pick("reservation", host.MemoryReservation), ...(host.OomKillDisable ? { disableOOMKiller: true } : {}) };
  if (Object.keys(memory).length > 0) resources.memory = memory;
  const quota = host.NanoCpus > 0 ? { quota: Math.round((host.NanoCpus / NANO) * PERIOD_US), period: PERIOD_US } : { ...pick("quota", host.CpuQuota), ...pick("period", host.CpuPeriod) };
  const cpu = { ...quota, ...pick("shares", host.CpuShares), ...(host.CpusetCpus ? { cpus: host.CpusetCpus } : {}), ...(host.CpusetMems ? { mems: host.CpusetMems } : {}) };
  if (Object.keys(cpu).length > 0) resources.cpu = cpu;
  if (host.PidsLimit >= 0) resources.pids = { limit: host.PidsLimit || DEFAULT_PIDS };
  return resources;
}

function pick<Name extends string>(name: Name, value: number): Partial<Record<Name, number>> {
  return value === 0 ? {} : ({ [name]: value } as Record<Name, number>);
}

export function chooseRlimits({ Ulimits }: HostConfig): Rlimit[] {
  return Ulimits.map(({ Name, Soft, Hard }) => ({ type: `RLIMIT_${Name.toUpperCase()}`, soft: Soft, hard: Hard }));
}
