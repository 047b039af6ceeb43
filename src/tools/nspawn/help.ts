/** What `--version` begins with: programs look for the number. */
export const nspawnVersion = "systemd 252 (brig)";

export const nspawnHelp = `brig nspawn [OPTIONS...] [PATH] [ARGUMENTS...]

Spawn a command or OS in a light-weight container.
`;
