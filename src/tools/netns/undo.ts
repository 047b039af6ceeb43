/** Runs steps in order; when one fails, what was done before is undone in reverse and the failure goes on. */
export function doOrUndo(steps: { do: () => void; undo?: () => void }[]): void {
  const done: (() => void)[] = [];
  try {
    for (const step of steps) {
      // First: a step that fails half-way is undone too.
      if (step.undo) done.push(step.undo);
      step.do();
    }
  } catch (error) {
    undoAll(done.reverse());
    throw error;
  }
}

/** Runs all of these, whatever fails, and returns the first failure. */
export function undoAll(undos: (() => void)[]): unknown {
  let first: unknown;
  for (const undo of undos) {
    try {
      undo();
    } catch (error) {
      first ??= error;
    }
  }
  return first;
}
