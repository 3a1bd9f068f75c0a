// A line about this host beside the heading: its name, its system, how long it is up.
import { useQuery } from '@tanstack/react-query';
import { queryInstant } from '../../api/query';
import { formatDuration } from '../../formatting/duration';
import { useNow } from '../../components/useNow';

const SYSTEM_MS = 60_000;

export function HostLine({ names }: { readonly names: ReadonlySet<string> | undefined }) {
  const now = useNow();
  const uname = useQuery({
    queryKey: ['host-uname'],
    enabled: names?.has('node_uname_info') === true,
    refetchInterval: SYSTEM_MS,
    queryFn: async ({ signal }) => {
      const { result } = await queryInstant('node_uname_info{job="binnacle"}', undefined, signal);
      return result.kind === 'samples' ? (result.samples[0]?.labels ?? null) : null;
    },
  });
  const boot = useQuery({
    queryKey: ['host-boot'],
    enabled: names?.has('node_boot_time_seconds') === true,
    refetchInterval: SYSTEM_MS,
    queryFn: async ({ signal }) => {
      const { result } = await queryInstant('max(node_boot_time_seconds{job="binnacle"})', undefined, signal);
      const value = result.kind === 'samples' ? result.samples[0]?.value : undefined;
      return typeof value === 'number' ? value : null;
    },
  });
  const parts: string[] = [];
  if (uname.data !== undefined && uname.data !== null) {
    parts.push(uname.data['nodename'] ?? '', `${uname.data['sysname'] ?? ''} ${uname.data['release'] ?? ''}`);
  }
  if (boot.data !== undefined && boot.data !== null) {
    // Whole minutes: a line that changes every second draws the eye for nothing.
    const minutes = Math.floor((now / 1000 - boot.data) / 60);
    parts.push(`up ${formatDuration(minutes * 60)}`);
  }
  return <>{parts.filter((part) => part.trim() !== '').join(' · ')}</>;
}
