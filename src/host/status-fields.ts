/** The fields of a /proc/PID/status file by name (proc_pid_status(5)); values are as they stand, trimmed. */
export function parseStatusFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0 && !fields.has(line.slice(0, colon))) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

/** A field of numbers separated by blanks ("Uid:	0	0	0	0"). */
export function parseNumbers(field: string | undefined): number[] {
  return (field ?? "").split(/\s+/).filter((word) => /^\d+$/.test(word)).map(Number);
}
