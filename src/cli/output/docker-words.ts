const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Bytes as docker shows them, in powers of 1000 with three digits: "0B", "4.26MB", "77.8MB", "1.2GB". */
export function showDockerSize(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 1000 && unit < UNITS.length - 1) [amount, unit] = [amount / 1000, unit + 1];
  return `${Number(amount.toPrecision(3))}${UNITS[unit]}`;
}

/** How long ago as docker shows it, "3 weeks ago"; milliseconds since the epoch. */
export function showDockerAge(then: number, now: number = Date.now()): string {
  return Number.isFinite(then) ? `${showDockerDuration((now - then) / 1000)} ago` : "N/A";
}

function showDockerDuration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.round(seconds / 3600);
  if (seconds < 1) return "Less than a second";
  if (seconds < 60) return seconds < 2 ? "1 second" : `${Math.floor(seconds)} seconds`;
  if (minutes < 60) return minutes === 1 ? "About a minute" : `${minutes} minutes`;
  if (hours < 48) return hours === 1 ? "About an hour" : `${hours} hours`;
  if (hours < 24 * 14) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 60) return `${Math.floor(hours / 24 / 7)} weeks`;
  return hours < 24 * 365 * 2 ? `${Math.floor(hours / 24 / 30)} months` : `${Math.floor(hours / 24 / 365)} years`;
}
