// Why a query was refused, with the place in it.
import { UnreachableError } from '../../api/http';
import { Banner } from '../../components/Banner';
import { errorPlace } from './errorPlace';

export function QueryError({ error, query }: { readonly error: Error; readonly query: string }) {
  const place = errorPlace(error.message, query);
  const tone = error instanceof UnreachableError ? 'medium' : 'high';
  return (
    <div className="panel-body" role="alert">
      <Banner tone={tone} title={place === null ? error.message : `Not PromQL: ${place.message}`}>
        {place !== null && <pre>{`${place.line}\n${' '.repeat(place.column)}^`}</pre>}
      </Banner>
    </div>
  );
}
