// The ranges that the buttons beside the range step through.

const RANGES: readonly number[] = [
  60, 300, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200,
];

/** The next range in that direction; the range itself at the end of the list. */
export function nextRange(seconds: number, direction: 'shorter' | 'longer'): number {
  if (direction === 'longer') return RANGES.find((one) => one > seconds) ?? seconds;
  return RANGES.findLast((one) => one < seconds) ?? seconds;
}
