import assert from "node:assert/strict";
import test from "node:test";
import { BrigError } from "../../../src/error/brig-error.js";
import { parseJournalctl } from "../../../src/tools/machinectl/journalctl.js";

test("the machine is taken out of journalctl's words, wherever it stands", () => {
  for (const words of [["-M", "m", "-n", "5"], ["-n", "5", "-Mm"], ["--machine=m", "-n", "5"], ["-n", "5", "--machine", "m"]]) {
    assert.deepEqual(parseJournalctl(words), { machine: "m", words: ["-n", "5"], console: { follow: false, tail: 5 } });
  }
});

test("values are no options, however they begin", () => {
  const asked = parseJournalctl(["-M", "m", "-u", "-D", "--since", "-1h", "-fo", "cat", "-g", "--file=x", "--", "--root=/"]);
  assert.deepEqual(asked, { machine: "m", words: ["-u", "-D", "--since", "-1h", "-fo", "cat", "-g", "--file=x", "--", "--root=/"], console: { follow: true, tail: 10 } });
});

test("where from, and what changes the journal, is refused in every spelling", () => {
  for (const word of ["-D/", "-D", "--directory=/", "--dir=/", "--file=/x", "--fil=/x", "--root=/", "--image=x", "--vacuum-size=1", "--rotate", "-fD/", "-m", "-e", "--cursor-file=/x", "--setup-keys", "--flush"])
    assert.throws(() => parseJournalctl(["-M", "m", word, "x"]), (error) => error instanceof BrigError && error.code === "BRIG_BAD_OPTION", word);
  for (const word of ["-f", "--follow", "-b", "--boot=-1", "--since=x", "--fields", "--field=_PID", "--utc", "--user-unit=x", "-r", "--reverse"]) assert.doesNotThrow(() => parseJournalctl(["-M", "m", word]), word);
  assert.throws(() => parseJournalctl(["-f"]), /of which machine/);
});
