import type { Resources } from "../../spec/oci.js";

/** One cgroup file to write: for version 1 (`old`) and version 2 (`unified`), where they have it. */
export interface Setting {
  controller: string;
  pointer: string;
  old?: { file: string; value: string };
  unified?: { file: string; value: string };
}

const UNLIMITED = (value: number): string => (value < 0 ? "max" : String(value));

/** linux.resources as cgroup files, but for devices and pids, which are decided elsewhere. Order matters to the kernel. */
export function listSettings(resources: Resources): Setting[] {
  return [...listMemory(resources), ...listCpu(resources), ...listCpuset(resources), ...listBlock(resources), ...listOthers(resources)];
}

function listMemory({ memory = {} }: Resources): Setting[] {
  const at = (field: string): { controller: string; pointer: string } => ({ controller: "memory", pointer: `/linux/resources/memory/${field}` });
  const settings: Setting[] = [];
  const { limit, swap, reservation, swappiness, kernel, kernelTCP, disableOOMKiller } = memory;
  if (limit !== undefined)
    settings.push({ ...at("limit"), old: { file: "memory.limit_in_bytes", value: String(limit) }, unified: { file: "memory.max", value: UNLIMITED(limit) } });
  // OCI's swap is memory and swap together, as in version 1; version 2 counts swap alone
  if (swap !== undefined)
    settings.push({ ...at("swap"), old: { file: "memory.memsw.limit_in_bytes", value: String(swap) }, unified: { file: "memory.swap.max", value: swap < 0 ? "max" : String(Math.max(0, swap - Math.max(0, limit ?? 0))) } });
  if (reservation !== undefined)
    settings.push({ ...at("reservation"), old: { file: "memory.soft_limit_in_bytes", value: String(reservation) }, unified: { file: "memory.low", value: UNLIMITED(reservation) } });
  if (kernel !== undefined) settings.push({ ...at("kernel"), old: { file: "memory.kmem.limit_in_bytes", value: String(kernel) } });
  if (kernelTCP !== undefined) settings.push({ ...at("kernelTCP"), old: { file: "memory.kmem.tcp.limit_in_bytes", value: String(kernelTCP) } });
  if (swappiness !== undefined) settings.push({ ...at("swappiness"), old: { file: "memory.swappiness", value: String(swappiness) } });
  if (disableOOMKiller) settings.push({ ...at("disableOOMKiller"), old: { file: "memory.oom_control", value: "1" } });
  return settings;
}

function listCpu({ cpu = {} }: Resources): Setting[] {
  const at = (field: string): { controller: string; pointer: string } => ({ controller: "cpu", pointer: `/linux/resources/cpu/${field}` });
  const settings: Setting[] = [];
  const { shares, quota, period, burst, idle, realtimePeriod, realtimeRuntime } = cpu;
  if (shares) settings.push({ ...at("shares"), old: { file: "cpu.shares", value: String(shares) }, unified: { file: "cpu.weight", value: String(sharesToWeight(shares)) } });
  if (period !== undefined) settings.push({ ...at("period"), old: { file: "cpu.cfs_period_us", value: String(period) }, unified: { file: "cpu.max", value: `${quota === undefined || quota < 0 ? "max" : quota} ${period}` } });
  if (quota !== undefined) {
    const unified = period === undefined ? { unified: { file: "cpu.max", value: UNLIMITED(quota) } } : {};
    settings.push({ ...at("quota"), old: { file: "cpu.cfs_quota_us", value: String(quota) }, ...unified });
  }
  if (burst !== undefined) settings.push({ ...at("burst"), old: { file: "cpu.cfs_burst_us", value: String(burst) }, unified: { file: "cpu.max.burst", value: String(burst) } });
  if (idle !== undefined) settings.push({ ...at("idle"), old: { file: "cpu.idle", value: String(idle) }, unified: { file: "cpu.idle", value: String(idle) } });
  if (realtimePeriod !== undefined) settings.push({ ...at("realtimePeriod"), old: { file: "cpu.rt_period_us", value: String(realtimePeriod) } });
  if (realtimeRuntime !== undefined) settings.push({ ...at("realtimeRuntime"), old: { file: "cpu.rt_runtime_us", value: String(realtimeRuntime) } });
  return settings;
}

/** 2…262144 to 1…10000, as runc and crun do. */
export function sharesToWeight(shares: number): number {
  const clamped = Math.min(262_144, Math.max(2, shares));
  return 1 + Math.floor(((clamped - 2) * 9999) / 262_142);
}

function listCpuset({ cpu = {} }: Resources): Setting[] {
  const list = (field: "cpus" | "mems"): Setting[] => {
    const value = cpu[field];
    const file = { file: `cpuset.${field}`, value: value ?? "" };
    return value ? [{ controller: "cpuset", pointer: `/linux/resources/cpu/${field}`, old: file, unified: file }] : [];
  };
  return [...list("cpus"), ...list("mems")];
}

interface Throttle {
  major: number;
  minor: number;
  rate: number;
}

const THROTTLES: Record<string, { old: string; key: string }> = {
  throttleReadBpsDevice: { old: "blkio.throttle.read_bps_device", key: "rbps" },
  throttleWriteBpsDevice: { old: "blkio.throttle.write_bps_device", key: "wbps" },
  throttleReadIOPSDevice: { old: "blkio.throttle.read_iops_device", key: "riops" },
  throttleWriteIOPSDevice: { old: "blkio.throttle.write_iops_device", key: "wiops" },
};

function listBlock({ blockIO = {} }: Resources): Setting[] {
  const at = (field: string): { controller: string; pointer: string } => ({ controller: "io", pointer: `/linux/resources/blockIO/${field}` });
  const settings: Setting[] = [];
  const { weight, leafWeight } = blockIO;
  if (weight) settings.push({ ...at("weight"), old: { file: "blkio.weight", value: String(weight) }, unified: { file: "io.weight", value: `default ${1 + Math.floor(((weight - 10) * 9999) / 990)}` } });
  if (leafWeight) settings.push({ ...at("leafWeight"), old: { file: "blkio.leaf_weight", value: String(leafWeight) } });
  for (const { major, minor, weight: own, leafWeight: leaf } of (blockIO["weightDevice"] ?? []) as { major: number; minor: number; weight?: number; leafWeight?: number }[]) {
    if (own) settings.push({ ...at("weightDevice"), old: { file: "blkio.weight_device", value: `${major}:${minor} ${own}` }, unified: { file: "io.weight", value: `${major}:${minor} ${own}` } });
    if (leaf) settings.push({ ...at("weightDevice"), old: { file: "blkio.leaf_weight_device", value: `${major}:${minor} ${leaf}` } });
  }
  for (const [field, { old, key }] of Object.entries(THROTTLES))
    for (const { major, minor, rate } of (blockIO[field] ?? []) as Throttle[])
      settings.push({ ...at(field), old: { file: old, value: `${major}:${minor} ${rate}` }, unified: { file: "io.max", value: `${major}:${minor} ${key}=${rate}` } });
  return settings;
}

function listOthers({ hugepageLimits = [], network = {}, rdma = {}, unified = {} }: Resources): Setting[] {
  const settings: Setting[] = hugepageLimits.map(({ pageSize, limit }, index) => ({
    controller: "hugetlb", pointer: `/linux/resources/hugepageLimits/${index}`,
    old: { file: `hugetlb.${pageSize}.limit_in_bytes`, value: String(limit) }, unified: { file: `hugetlb.${pageSize}.max`, value: String(limit) },
  }));
  if (network.classID !== undefined) settings.push({ controller: "net_cls", pointer: "/linux/resources/network/classID", old: { file: "net_cls.classid", value: String(network.classID) } });
  for (const { name, priority } of network.priorities ?? [])
    settings.push({ controller: "net_prio", pointer: "/linux/resources/network/priorities", old: { file: "net_prio.ifpriomap", value: `${name} ${priority}` } });
  for (const [device, { hcaHandles, hcaObjects }] of Object.entries(rdma)) {
    const value = [device, ...(hcaHandles === undefined ? [] : [`hca_handle=${hcaHandles}`]), ...(hcaObjects === undefined ? [] : [`hca_object=${hcaObjects}`])].join(" ");
    settings.push({ controller: "rdma", pointer: "/linux/resources/rdma", old: { file: "rdma.max", value }, unified: { file: "rdma.max", value } });
  }
  for (const [file, value] of Object.entries(unified))
    settings.push({ controller: file.split(".")[0] ?? "", pointer: "/linux/resources/unified", unified: { file, value } });
  return settings;
}
