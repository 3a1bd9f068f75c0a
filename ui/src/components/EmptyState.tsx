// What a page says where there is nothing to show: that this is so, and what to do.
import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon';
import './empty.css';

interface EmptyStateProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}

export function EmptyState({ icon, title, children }: EmptyStateProps) {
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} size={24} />
      </span>
      <strong>{title}</strong>
      {children !== undefined && <div className="empty-body">{children}</div>}
    </div>
  );
}
