// A sentence of the server: its moments in local time, its alerts and silences as links.
import { findReferences, type Part } from '../formatting/references';
import { parseTime } from '../formatting/time';
import { Link } from './Link';
import { TimeText } from './TimeText';

export function Sentence({ text }: { readonly text: string }) {
  return findReferences(text).map((part, index) => <Reference key={index} part={part} />);
}

function Reference({ part: { kind, text } }: { readonly part: Part }) {
  switch (kind) {
    case 'text':
      return text;
    case 'moment':
      return <TimeText millis={parseTime(text)} />;
    case 'alert':
      return (
        <Link href={`/alerts/${text}`} className="mono">
          {text}
        </Link>
      );
    case 'silence':
      return (
        <Link href={`/alerts?view=silences&filter=${text}`} className="mono" title={text}>
          {text.slice(0, 8)}
        </Link>
      );
  }
}
