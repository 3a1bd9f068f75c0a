// What an alert says of itself: summary first, then the rest; links are links.
import type { Labels } from '../../formatting/labels';
import { sortedPairs } from '../../formatting/labels';

const isLink = (text: string): boolean => /^https?:\/\/\S+$/.test(text);

export function AnnotationText({ annotations }: { readonly annotations: Labels }) {
  const { summary, description } = annotations;
  const rest = sortedPairs(annotations, ['summary', 'description']);
  return (
    <>
      {summary !== undefined && <p className="alert-summary">{summary}</p>}
      {description !== undefined && description !== summary && <p className="dim">{description}</p>}
      {rest.map(([name, value]) => (
        <p key={name}>
          <span className="dim">{name}: </span>
          {isLink(value) ? (
            <a href={value} rel="noreferrer noopener" target="_blank">
              {value}
            </a>
          ) : (
            value
          )}
        </p>
      ))}
    </>
  );
}
