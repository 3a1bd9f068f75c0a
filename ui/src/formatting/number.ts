// Numbers as people read them: few digits, the unit beside them.

const IEC = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const SI: readonly [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Shows what is not a number as the API writes it. */
function special(value: number): string | null {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return null;
}

/** Rounds to three significant digits without an exponent, trailing zeros dropped. */
function short(value: number): string {
  const size = Math.abs(value);
  const decimals = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const rounded = Number(value.toFixed(decimals));
  return rounded === 0 ? '0' : String(rounded);
}

/** `1536` → `1.5 KiB`. */
export function formatBytes(value: number): string {
  const word = special(value);
  if (word !== null) return word;
  let rest = value;
  let unit = 0;
  while (Math.abs(rest) >= 1024 && unit < IEC.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${short(rest)} ${IEC[unit] ?? ''}`;
}

/** `1536` → `1.5 KiB/s`. */
export function formatBytesPerSecond(value: number): string {
  return `${formatBytes(value)}/s`;
}

/** `12345` → `12.3 k`; small numbers keep three significant digits. */
export function formatNumber(value: number): string {
  const word = special(value);
  if (word !== null) return word;
  const size = Math.abs(value);
  for (const [from, unit] of SI) {
    if (size >= from) return `${short(value / from)} ${unit}`;
  }
  if (size === 0 || size >= 0.01) return short(value);
  return String(Number(value.toPrecision(3)));
}

/** `0.1234` → `12.3 %`. */
export function formatPercent(ratio: number): string {
  const word = special(ratio);
  if (word !== null) return word;
  return `${short(ratio * 100)} %`;
}

/** Shows a sample in full, as a table of a query should: no digit is lost. */
export function formatExact(value: number): string {
  return special(value) ?? String(value);
}

/** `1`, `firing alert` → `1 firing alert`; `2` → `2 firing alerts`. */
export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}
