// To the page that says why somebody was told of an alert, or was not.
import { Link } from './Link';

interface WhyLinkProps {
  readonly fingerprint: string;
  /** Of the alert, for people who hear the page. */
  readonly name: string | undefined;
}

export function WhyLink({ fingerprint, name = '' }: WhyLinkProps) {
  return (
    <Link href={`/alerts/${fingerprint}`} aria-label={`Why? ${name}`.trim()} title="Why somebody is told of it, or is not">
      Why?
    </Link>
  );
}
