// Durations: shown with at most two units, read in Prometheus' notation.

const UNITS: readonly [number, string][] = [
  [31_536_000, 'y'],
  [604_800, 'w'],
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
  [1, 's'],
  [0.001, 'ms'],
];

const SHOWN: readonly [number, string][] = UNITS.filter(([, unit]) => unit !== 'y' && unit !== 'w');

/** `93784` → `1d 2h`; below a second `12.3 ms` or `45 µs`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds === 0) return '0s';
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)}s`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const [size, unit] of SHOWN) {
    const count = Math.floor(rest / size);
    if (count === 0) {
      // Units side by side only: `1d 3s` would claim more than it says.
      if (parts.length > 0) break;
      continue;
    }
    parts.push(`${count}${unit}`);
    rest -= count * size;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** Reads `1h30m`, `15s`, `500ms` or plain seconds (`0.5`); null where it is none of them or not above zero. */
export function parseDuration(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) {
    const seconds = Number(trimmed);
    return seconds > 0 ? seconds : null;
  }
  const match = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(trimmed);
  if (match === null || trimmed === '') return null;
  let seconds = 0;
  UNITS.forEach(([size], index) => {
    seconds += Number(match[index + 1] ?? 0) * size;
  });
  return seconds > 0 ? seconds : null;
}

/** Writes seconds in Prometheus' notation, as `parseDuration` reads it: `5400` → `1h30m`. */
export function writeDuration(seconds: number): string {
  let rest = Math.round(seconds * 1000);
  let text = '';
  for (const [size, unit] of SHOWN) {
    const millis = Math.round(size * 1000);
    const count = Math.floor(rest / millis);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * millis;
  }
  return text === '' ? '0s' : text;
}

/** Whole minutes from the first one on: what counts seconds all the time draws the eye for nothing. */
export function coarse(seconds: number): number {
  return seconds < 60 ? seconds : Math.floor(seconds / 60) * 60;
}
