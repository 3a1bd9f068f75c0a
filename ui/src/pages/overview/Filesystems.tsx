// How full each filesystem of this host is, the fullest first.
import { useQuery } from '@tanstack/react-query';
import { liveInterval } from '../../api/polling';
import { queryInstant, type Sample } from '../../api/query';
import { formatBytes, formatPercent } from '../../formatting/number';
import { joinFilesystems, type Filesystem } from './joinFilesystems';
import { REAL_FILESYSTEMS } from './panels';

export function Filesystems({ names }: { readonly names: ReadonlySet<string> | undefined }) {
  const isThere = names?.has('node_filesystem_size_bytes') === true;
  const { data } = useQuery({
    queryKey: ['filesystems'],
    enabled: isThere,
    refetchInterval: liveInterval,
    queryFn: async ({ signal }) => {
      const ask = async (name: string): Promise<readonly Sample[]> => {
        const { result } = await queryInstant(`${name}{job="binnacle",${REAL_FILESYSTEMS}}`, undefined, signal);
        return result.kind === 'samples' ? result.samples : [];
      };
      const [sizes, available] = await Promise.all([
        ask('node_filesystem_size_bytes'),
        ask('node_filesystem_avail_bytes'),
      ]);
      return joinFilesystems(sizes, available);
    },
  });
  if (names !== undefined && !isThere) return null;
  if (data !== undefined && data.length === 0) return null;
  return (
    <section className="panel" aria-label="Filesystems">
      <div className="panel-head">
        <h2>Filesystems</h2>
      </div>
      <ul className="filesystems">
        {(data ?? []).map((filesystem) => (
          <FilesystemLine key={filesystem.device} filesystem={filesystem} />
        ))}
      </ul>
    </section>
  );
}

function FilesystemLine({ filesystem }: { readonly filesystem: Filesystem }) {
  const { mountpoint, device, size, available } = filesystem;
  const used = 1 - available / size;
  const tone = used > 0.95 ? 'critical' : used > 0.85 ? 'medium' : 'calm';
  return (
    <li>
      <span className="filesystem-name" title={device}>
        {mountpoint}
      </span>
      <meter className={`meter meter-${tone}`} min={0} max={1} value={used} aria-label={`${mountpoint} used`}>
        {formatPercent(used)}
      </meter>
      <span className="filesystem-used">{formatPercent(used)}</span>
      <span className="dim">
        {formatBytes(available)} free of {formatBytes(size)}
      </span>
    </li>
  );
}
