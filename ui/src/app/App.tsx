// From the address to the page. Every page is loaded when it is first asked for.
import { lazy, Suspense, useEffect, type ReactNode } from 'react';
import { EmptyState } from '../components/EmptyState';
import { Link } from '../components/Link';
import { PageTitle } from '../components/PageTitle';
import { ErrorBoundary } from './ErrorBoundary';
import { navigate, usePlace } from './location';
import { matchRoute, movedTo, type Route } from './routes';
import { Shell } from './Shell';

const OverviewPage = lazy(() => import('../pages/overview/OverviewPage'));
const ExplorePage = lazy(() => import('../pages/explore/ExplorePage'));
const AlertsPage = lazy(() => import('../pages/alerts/AlertsPage'));
const AlertPage = lazy(() => import('../pages/alert/AlertPage'));
const IncidentsPage = lazy(() => import('../pages/incidents/IncidentsPage'));
const IncidentPage = lazy(() => import('../pages/incidents/IncidentPage'));
const TargetsPage = lazy(() => import('../pages/targets/TargetsPage'));
const RulesPage = lazy(() => import('../pages/rules/RulesPage'));

export function App() {
  const place = usePlace();
  const moved = movedTo(place);
  useEffect(() => {
    if (moved !== null) navigate(moved, 'replace');
  }, [moved]);
  if (moved !== null) return null;
  const route = matchRoute(place.path);
  return (
    <Shell section={sectionOf(route)}>
      <ErrorBoundary key={place.path}>
        {/* The space of a page is kept while its code arrives. */}
        <Suspense fallback={<div style={{ minHeight: '80vh' }} />}>{pageOf(route)}</Suspense>
      </ErrorBoundary>
    </Shell>
  );
}

function sectionOf(route: Route): string {
  if (route.page === 'overview') return '/';
  if (route.page === 'alert') return '/alerts';
  return route.page === 'incident' ? '/incidents' : `/${route.page}`;
}

function pageOf(route: Route): ReactNode {
  switch (route.page) {
    case 'overview':
      return <OverviewPage />;
    case 'explore':
      return <ExplorePage />;
    case 'alerts':
      return <AlertsPage />;
    case 'alert':
      return <AlertPage key={route.fingerprint} fingerprint={route.fingerprint} />;
    case 'incidents':
      return <IncidentsPage />;
    case 'incident':
      return <IncidentPage key={route.id} id={route.id} />;
    case 'targets':
      return <TargetsPage />;
    case 'rules':
      return <RulesPage />;
    case 'unknown':
      return <UnknownPage />;
  }
}

function UnknownPage() {
  return (
    <>
      <PageTitle title="There is no such page" />
      <div className="panel">
        <EmptyState icon="explore" title="Nothing is at this address">
          <p>
            Start from the <Link href="/">overview</Link>.
          </p>
        </EmptyState>
      </div>
    </>
  );
}
