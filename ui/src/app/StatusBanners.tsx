// What somebody must act on, on top of every page: a store that refuses writes, a configuration that was
// refused, alerts that reach nobody.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { statusQuery } from '../api/polling';
import type { Status } from '../api/status';
import { Banner } from '../components/Banner';
import { Link } from '../components/Link';
import { formatCount } from '../formatting/number';

export function StatusBanners() {
  const { data } = useQuery(statusQuery);
  if (data === undefined) return null;
  const banners = bannersOf(data);
  if (banners.length === 0) return null;
  return (
    <section aria-label="Problems" className="stack" style={{ marginBottom: 'var(--gap)' }}>
      {banners}
    </section>
  );
}

function bannersOf(status: Status): ReactNode[] {
  const banners: ReactNode[] = [];
  if (status.storeProblem !== null) {
    banners.push(
      <Banner key="store" tone="critical" title="The store refuses writes">
        {status.storeProblem}. Queries still work; new samples are not kept until this is mended.
      </Banner>,
    );
  }
  if (status.reloadProblem !== null) {
    banners.push(
      <Banner key="reload" tone="high" title="The last reload was refused; the configuration before it holds">
        <pre>{status.reloadProblem}</pre>
      </Banner>,
    );
  }
  if (status.undelivered > 0) {
    banners.push(
      <Banner key="undelivered" tone="high" title={`${formatCount(status.undelivered, 'alert')} reached nobody`}>
        <p>
          Every attempt to tell their receivers failed.{' '}
          <Link href="/alerts?view=notifications">See which ones and why</Link>
        </p>
      </Banner>,
    );
  }
  if (!status.ready) {
    banners.push(
      <Banner key="ready" tone="low" title="Starting">
        What was stored is being read back. Answers may be incomplete until that is done.
      </Banner>,
    );
  }
  return banners;
}
