// The few icons of the page, drawn on a 20 × 20 grid with one stroke width.
import type { ReactNode } from 'react';

export type IconName =
  | 'overview'
  | 'explore'
  | 'alerts'
  | 'incidents'
  | 'targets'
  | 'rules'
  | 'sun'
  | 'moon'
  | 'system'
  | 'silence'
  | 'clock'
  | 'plus'
  | 'close';

const SHAPES: Readonly<Record<IconName, ReactNode>> = {
  overview: <path d="M3 11h3l2-6 4 11 2-5h3" />,
  explore: (
    <>
      <circle cx="8.5" cy="8.5" r="5" />
      <path d="m12.5 12.5 4.5 4.5" />
    </>
  ),
  alerts: <path d="M10 3a5 5 0 0 1 5 5c0 4 1.5 5 1.5 5h-13S5 12 5 8a5 5 0 0 1 5-5zM8.5 16a1.6 1.6 0 0 0 3 0" />,
  incidents: <path d="M5 17V3M5 4h9.5l-2 3.5 2 3.5H5" />,
  targets: (
    <>
      <circle cx="10" cy="10" r="7" />
      <circle cx="10" cy="10" r="3" />
      <path d="M10 1v3M10 16v3M1 10h3M16 10h3" />
    </>
  ),
  rules: <path d="M4 5.5 5.5 7 8 4M4 13.5 5.5 15 8 12M11 5.5h6M11 13.5h6" />,
  sun: (
    <>
      <circle cx="10" cy="10" r="3.2" />
      <path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M15.7 4.3l-1.4 1.4M5.7 14.3l-1.4 1.4" />
    </>
  ),
  moon: <path d="M16 12.2A6.8 6.8 0 0 1 7.8 4a6.8 6.8 0 1 0 8.2 8.2z" />,
  system: <path d="M3 4h14v9H3zM7 17h6M10 13v4" />,
  silence: <path d="M5 8c0-1 .3-2 .9-2.8M8 3.4A5 5 0 0 1 15 8c0 2 .4 3.3 .8 4M13 13H3.5S5 12 5 8M8.5 16a1.6 1.6 0 0 0 3 0M3 3l14 14" />,
  clock: (
    <>
      <circle cx="10" cy="10" r="7" />
      <path d="M10 6v4l2.5 2" />
    </>
  ),
  plus: <path d="M10 4v12M4 10h12" />,
  close: <path d="m5 5 10 10M15 5 5 15" />,
};

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {SHAPES[name]}
    </svg>
  );
}
