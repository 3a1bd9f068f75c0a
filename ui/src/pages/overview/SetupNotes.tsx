// What is running: version, since when, which files it was given and what is to be known about them.
import { useQuery } from '@tanstack/react-query';
import { statusQuery } from '../../api/polling';
import { TimeText } from '../../components/TimeText';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';

export function SetupNotes() {
  const { data } = useQuery(statusQuery);
  if (data === undefined) return null;
  const { version, startedAt, notes, files, configLoadedAt } = data;
  return (
    <section className="panel setup" aria-label="Set-up">
      <p>
        Binnacle {version}, started <TimeText millis={parseTime(startedAt)} form="ago" />
        {files.length > 0 && (
          <>
            , configuration read <TimeText millis={parseTime(configLoadedAt)} form="ago" />
          </>
        )}
      </p>
      {files.length === 0 && (
        <p className="dim">
          It watches this host with its own rules. Started as <code>binnacle up FOLDER</code> it runs the
          prometheus.yml, rules and alertmanager.yml of that folder.
        </p>
      )}
      {files.length + notes.length > 0 && (
        <details>
          <summary>
            {formatCount(files.length, 'file')}, {formatCount(notes.length, 'note')}
          </summary>
          <ul>
            {notes.map((note, index) => (
              <li key={index}>{note}</li>
            ))}
            {files.map((file) => (
              <li key={file.path}>
                <code>{file.path}</code> <span className="dim">{file.kind}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
