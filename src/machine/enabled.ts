import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findDataFolder } from "../sandbox/data-folder.js";
import { isMachineName } from "./images/names.js";
import { runProgram } from "./run-program.js";

const UNIT = "/etc/systemd/system/brig-machine@.service";

/** Machines that start with the host: by a unit of systemd's, or a list that `brig machinectl start --enabled` goes through. */
export function enableMachine(name: string): void {
  if (runsSystemd()) {
    writeUnit();
    runProgram("systemctl", ["enable", `brig-machine@${name}.service`]);
    return;
  }
  const folder = findFolder();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, name), "", { mode: 0o600 });
}

export function disableMachine(name: string): void {
  if (runsSystemd()) runProgram("systemctl", ["disable", `brig-machine@${name}.service`]);
  rmSync(join(findFolder(), name), { force: true });
}

/** By name. */
export function listEnabled(): string[] {
  const folder = findFolder();
  return existsSync(folder) ? readdirSync(folder).filter(isMachineName).sort() : [];
}

function findFolder(): string {
  return join(findDataFolder(), "enabled-machines");
}

/** sd_booted(3). */
export function runsSystemd(): boolean {
  return process.geteuid?.() === 0 && existsSync("/run/systemd/system");
}

/** The template unit of all machines; the real systemd-nspawn@.service is another. */
function writeUnit(): void {
  const brig = process.env["BRIG_ENTRY_PATH"] ?? runProgram("sh", ["-c", "command -v brig || true"]).trim();
  const program = brig === "" ? "/usr/local/bin/brig" : brig;
  const lines = [
    "[Unit]", "Description=Machine %i (brig)", "PartOf=machines.target", "Before=machines.target", "After=network.target", "",
    "[Service]", `ExecStart=${program} nspawn ${START_WORDS.join(" ")} --console=passive --machine=%i`, "KillMode=mixed", "Type=exec", "Delegate=yes",
    "RestartForceExitStatus=133", "SuccessExitStatus=133", "TasksMax=16384", "", "[Install]", "WantedBy=machines.target", "",
  ];
  writeFileSync(UNIT, lines.join("\n"), { mode: 0o644 });
}

/** As systemd-nspawn@.service starts a machine. */
export const START_WORDS = ["--quiet", "--keep-unit", "--boot", "--link-journal=try-guest", "--network-veth", "-U", "--settings=override"];
