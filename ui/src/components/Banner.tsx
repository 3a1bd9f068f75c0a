// A message across the page, in the colour of how bad it is.
import type { ReactNode } from 'react';
import type { Tone } from './Badge';
import './banner.css';

interface BannerProps {
  readonly tone: Tone;
  readonly title: ReactNode;
  readonly children?: ReactNode;
}

export function Banner({ tone, title, children }: BannerProps) {
  return (
    <div className={`banner tone-${tone}`}>
      <strong>{title}</strong>
      {children !== undefined && <div className="banner-body">{children}</div>}
    </div>
  );
}
