// Says quietly that the server does not answer, and has everything read anew when it is back.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { RefusedError, UnreachableError } from '../api/http';
import { statusQuery } from '../api/polling';
import { TimeText } from '../components/TimeText';

export function ConnectionBar() {
  const client = useQueryClient();
  const { error, dataUpdatedAt } = useQuery(statusQuery);
  const isAway = error instanceof UnreachableError;
  const wasAway = useRef(false);
  useEffect(() => {
    if (wasAway.current && !isAway) void client.invalidateQueries();
    wasAway.current = isAway;
  }, [client, isAway]);
  const isLocked = error instanceof RefusedError && error.status === 401;
  return (
    <div className="connection-bar" role="status" aria-live="polite">
      {isAway && (
        <div className="connection-message">
          <span>
            Binnacle does not answer. Trying again …
            {dataUpdatedAt > 0 && (
              <>
                {' '}
                What you see is from <TimeText millis={dataUpdatedAt} form="clock" />.
              </>
            )}
          </span>
        </div>
      )}
      {isLocked && (
        <div className="connection-message">
          <span>{error.message}</span>
        </div>
      )}
    </div>
  );
}
