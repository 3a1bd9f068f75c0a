// The answer of an instant query as a table, sorted as asked.
import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Result } from '../../api/query';
import { formatSeries } from '../../formatting/labels';
import { formatExact } from '../../formatting/number';
import { orderRows, tableRows, type Order } from './tableRows';
import '../../components/table.css';

const SHOWN_AT_FIRST = 500;

export function TableAnswer({ result }: { readonly result: Result }) {
  const [order, setOrder] = useState<Order>('given');
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  const rows = useMemo(() => orderRows(tableRows(result), order), [result, order]);
  const next: Order = order === 'given' ? 'descending' : order === 'descending' ? 'ascending' : 'given';
  const mark = { given: '', descending: ' ↓', ascending: ' ↑' }[order];
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th>Series</th>
            <th className="number" aria-sort={order === 'given' ? 'none' : order}>
              <button type="button" className="text-button" onClick={() => setOrder(next)}>
                Value{mark}
              </button>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, shown).map((row, index) => (
            <tr key={index}>
              <td className="mono">{formatSeries(row.labels)}</td>
              <td className="number mono table-value">
                {typeof row.value === 'number' ? formatExact(row.value) : row.value}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && (
        <div className="panel-body row" style={{ paddingTop: 10 }}>
          <span className="dim">
            Showing {shown.toLocaleString('en')} of {rows.length.toLocaleString('en')} series.
          </span>
          <Button size="xs" variant="default" onClick={() => setShown(shown + SHOWN_AT_FIRST)}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}
