// The frame around every page: navigation with counts, the bar about the server, the colour scheme.
// At the side on wide screens, at the bottom within the thumb's reach on a phone.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { incidentsQuery, routedAlertsQuery } from '../api/polling';
import { Icon, type IconName } from '../components/Icon';
import { Link } from '../components/Link';
import { ColorSchemeSwitch } from './ColorSchemeSwitch';
import { ConnectionBar } from './ConnectionBar';
import { StatusBanners } from './StatusBanners';
import './shell.css';

interface Entry {
  readonly href: string;
  readonly name: string;
  readonly icon: IconName;
  /** What the count beside it counts, for people who hear the page. */
  readonly counts?: string;
}

const ENTRIES: readonly Entry[] = [
  { href: '/', name: 'Overview', icon: 'overview' },
  { href: '/explore', name: 'Explore', icon: 'explore' },
  { href: '/alerts', name: 'Alerts', icon: 'alerts', counts: 'firing' },
  { href: '/incidents', name: 'Incidents', icon: 'incidents', counts: 'open' },
  { href: '/targets', name: 'Targets', icon: 'targets' },
  { href: '/rules', name: 'Rules', icon: 'rules' },
];

export function Shell({ section, children }: { readonly section: string; readonly children: ReactNode }) {
  const firing = useQuery({
    ...routedAlertsQuery,
    select: (alerts) => alerts.filter((alert) => alert.status.state !== 'suppressed').length,
  });
  const open = useQuery({
    ...incidentsQuery,
    select: (incidents) => incidents.filter((incident) => incident.status !== 'resolved').length,
  });
  const counts: Readonly<Record<string, number | undefined>> = {
    '/alerts': firing.data,
    '/incidents': open.data,
  };
  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="shell-side">
        <Link href="/" className="brand">
          <img src="/favicon.svg" alt="" width="26" height="26" />
          <span>Binnacle</span>
        </Link>
        <nav aria-label="Main" className="shell-nav">
          <ul>
            {ENTRIES.map((entry) => (
              <li key={entry.href}>
                <NavigationLink entry={entry} isCurrent={entry.href === section} count={counts[entry.href] ?? 0} />
              </li>
            ))}
          </ul>
        </nav>
        <ColorSchemeSwitch />
      </header>
      <div className="shell-content">
        <main id="main" tabIndex={-1} className="shell-main">
          <StatusBanners />
          {children}
        </main>
        <ConnectionBar />
      </div>
      <div className="visually-hidden" role="status">
        {firing.data === undefined ? '' : `${firing.data} alerts firing, ${open.data ?? 0} incidents open`}
      </div>
    </div>
  );
}

interface NavigationLinkProps {
  readonly entry: Entry;
  readonly isCurrent: boolean;
  readonly count: number;
}

function NavigationLink({ entry, isCurrent, count }: NavigationLinkProps) {
  return (
    <Link href={entry.href} className="nav-link" aria-current={isCurrent ? 'page' : undefined}>
      <Icon name={entry.icon} />
      <span className="nav-name">{entry.name}</span>
      {count > 0 && (
        <span className="nav-count">
          {count > 999 ? '999+' : count}
          <span className="visually-hidden"> {entry.counts}</span>
        </span>
      )}
    </Link>
  );
}
