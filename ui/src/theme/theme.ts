// Mantine in our colours: its variables point at the tokens of tokens.css.
import {
  createTheme,
  localStorageColorSchemeManager,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

/** Also read by public/color-scheme.js. */
export const colorSchemeManager = localStorageColorSchemeManager({ key: 'binnacle.color-scheme' });

const SEA: MantineColorsTuple = [
  '#e9f5fa',
  '#d3e9f2',
  '#a8d4e6',
  '#79bcd8',
  '#5cbadd',
  '#3a98bd',
  '#1f7da3',
  '#0d6586',
  '#0a536f',
  '#073f55',
];

/** From text to ground in the dark scheme. */
const SLATE: MantineColorsTuple = [
  '#e3e9ef',
  '#c3cdd6',
  '#9ba8b5',
  '#667482',
  '#3a4653',
  '#27313b',
  '#1d252e',
  '#151b22',
  '#10151b',
  '#0b0f13',
];

export const theme = createTheme({
  primaryColor: 'sea',
  // White text on a filled button keeps 4.5:1 in both.
  primaryShade: { light: 7, dark: 6 },
  colors: { sea: SEA, dark: SLATE },
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '18px' },
});

const FROM_TOKENS = {
  '--mantine-color-body': 'var(--ground)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--dim)',
  '--mantine-color-placeholder': 'var(--dim)',
  '--mantine-color-anchor': 'var(--accent)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-hover': 'var(--raised)',
  '--mantine-color-default-color': 'var(--text)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-error': 'var(--critical)',
};

export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: FROM_TOKENS,
  dark: FROM_TOKENS,
});
