import assert from "node:assert/strict";
import { BrigError } from "../../../src/error/brig-error.js";

/** Holds that this is refused as a bad value, with a hint, and with a message that names the place and says why. */
export function assertRefused(parse: () => unknown, reason: RegExp, where?: string): void {
  assert.throws(parse, (error) => {
    assert.ok(error instanceof BrigError, String(error));
    assert.equal(error.code, "BRIG_BAD_VALUE");
    assert.match(error.message, reason);
    assert.ok(error.hint, "has a hint");
    if (where) assert.ok(error.message.startsWith(`${where}: `), error.message);
    return true;
  });
}

/** Holds that whatever comes in, either a value comes out or a BrigError with a hint is thrown, and nothing else. */
export function assertClear(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    assert.ok(error instanceof BrigError && error.code === "BRIG_BAD_VALUE" && error.hint, String(error));
    assert.ok(!/\p{Cc}/u.test(error.message), "no control character reaches a terminal");
  }
}
