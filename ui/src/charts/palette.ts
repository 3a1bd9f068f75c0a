// Colours of lines, told apart in both schemes and by most people who see few colours.
import { useComputedColorScheme } from '@mantine/core';

const LIGHT = [
  '#0d6586',
  '#c2570c',
  '#2e7d4f',
  '#8b3fb0',
  '#b3261e',
  '#6b6f00',
  '#1f4fbf',
  '#a8326e',
  '#4d6472',
  '#7a4b1e',
] as const;

const DARK = [
  '#5cbadd',
  '#f0994a',
  '#6cc08b',
  '#c792ea',
  '#f2837b',
  '#cfd04f',
  '#82aaff',
  '#f08bb8',
  '#a9bccb',
  '#d3a06b',
] as const;

/** What a graph needs to know of the colour scheme, since a canvas does not follow style sheets. */
export interface ChartColors {
  readonly lines: readonly string[];
  readonly axis: string;
  readonly grid: string;
}

const COLORS = {
  light: { lines: LIGHT, axis: '#53606d', grid: '#e4e9ee' },
  dark: { lines: DARK, axis: '#9ba8b5', grid: '#232c35' },
} as const;

export function useChartColors(): ChartColors {
  return COLORS[useComputedColorScheme('light', { getInitialValueInEffect: false })];
}

export function lineColor(colors: ChartColors, index: number): string {
  return colors.lines[index % colors.lines.length] ?? colors.axis;
}
