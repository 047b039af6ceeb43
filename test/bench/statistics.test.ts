import assert from "node:assert/strict";
import { test } from "node:test";
import { compareRounds, findMedian, findPercentile } from "../../bench/statistics.js";

test("a percentile is always a value that was measured", () => {
  assert.equal(findMedian([3, 1, 2]), 2);
  assert.equal(findPercentile([5, 1, 4, 2, 3, 6, 7, 8, 9, 10], 0.1), 1);
  assert.equal(findPercentile([7], 0.9), 7);
  assert.throws(() => findMedian([]), RangeError);
});

test("ratios are those of rounds that ran side by side, so that a slow minute does not count", () => {
  const ratio = compareRounds([[2, 2, 2], [20, 20, 20], [4, 4, 4]], [[1, 1, 1], [10, 10, 10], [2, 2, 2]]);
  assert.equal(ratio.median, 2);
  assert.equal(ratio.p90, 2);
  assert.equal(ratio.ours.median, 4);
  assert.equal(ratio.theirs.median, 2);
});
