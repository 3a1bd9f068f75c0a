// Addresses: which page, and where old ones have moved to.
import { expect, it } from 'vitest';
import { matchRoute, movedTo } from './routes';

it('finds the page of an address', () => {
  const check = (path: string, want: object) => expect(matchRoute(path)).toEqual(want);
  check('/', { page: 'overview' });
  check('/explore', { page: 'explore' });
  check('/explore/', { page: 'explore' });
  check('/alerts', { page: 'alerts' });
  check('/alerts/71b4cdc6c3b1d09c', { page: 'alert', fingerprint: '71b4cdc6c3b1d09c' });
  check('/alerts/71b4cdc6c3b1d09c/', { page: 'alert', fingerprint: '71b4cdc6c3b1d09c' });
  check('/alerts/1/2', { page: 'unknown' });
  check('/incidents', { page: 'incidents' });
  check('/incidents/12', { page: 'incident', id: '12' });
  check('/incidents/a%20b', { page: 'incident', id: 'a b' });
  check('/incidents/%', { page: 'incident', id: '%' });
  check('/incidents/1/2', { page: 'unknown' });
  check('/targets', { page: 'targets' });
  check('/rules', { page: 'rules' });
  check('/rules/x', { page: 'unknown' });
  check('/nothing', { page: 'unknown' });
});

it('follows addresses of Prometheus and Alertmanager', () => {
  const check = (address: string, want: string | null) => {
    const url = new URL(address, 'http://page');
    expect(movedTo({ path: url.pathname, search: url.search, hash: url.hash })).toBe(want);
  };
  check('/graph?g0.expr=up&g0.tab=1', '/explore?g0.expr=up&g0.tab=1');
  check('/query?g0.expr=up', '/explore?g0.expr=up');
  check('/#/alerts', '/alerts');
  check('/#/alerts?silenced=false', '/alerts');
  check('/#/alerts?silenced=false&filter=%7Ba%3D%22b%22%7D', '/alerts?filter=%7Ba%3D%22b%22%7D');
  check('/#/silences', '/alerts?view=silences');
  check('/#/silences?filter=%7Ba%3D%22b%22%7D', '/alerts?view=silences&filter=%7Ba%3D%22b%22%7D');
  check('/#/silences/new', '/alerts?view=silences&new=%7B%7D');
  check('/#/silences/new?filter=%7Ba%3D%22b%22%7D', '/alerts?view=silences&new=%7Ba%3D%22b%22%7D');
  check('/#/silences/0d7c-1', '/alerts?view=silences&filter=0d7c-1');
  check('/#/silences/0d7c-1/edit', '/alerts?view=silences&filter=0d7c-1');
  check('/#/status', '/');
  check('/status', '/');
  check('/', null);
  check('/#main', null);
  check('/alerts', null);
});
