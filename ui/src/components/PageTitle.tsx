// The heading of a page: names the window too, and takes the focus when one comes from another page, so that
// the keyboard and a screen reader start there.
import { useEffect, useRef, type ReactNode } from 'react';

interface PageTitleProps {
  readonly title: string;
  /** A few words beside it. */
  readonly aside?: ReactNode;
  readonly children?: ReactNode;
}

let isFirstPage = true;

export function PageTitle({ title, aside, children }: PageTitleProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Binnacle`;
  }, [title]);
  useEffect(() => {
    // Loading the page itself leaves the focus at its top.
    if (!isFirstPage) heading.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, []);
  return (
    <div className="page-title">
      <div className="row" style={{ gap: '2px 12px' }}>
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {aside !== undefined && <span className="dim">{aside}</span>}
      </div>
      {children !== undefined && <div className="row">{children}</div>}
    </div>
  );
}
