// The answer of an instant query as a table, sorted as asked.
import { useMemo, useState } from 'react';
import type { Result } from '../../api/query';
import { useCapped } from '../../components/useCapped';
import { formatSeries } from '../../formatting/labels';
import { formatExact } from '../../formatting/number';
import { orderRows, tableRows, type Order } from './tableRows';
import '../../components/table.css';

const SHOWN_AT_FIRST = 500;

export function TableAnswer({ result }: { readonly result: Result }) {
  const [order, setOrder] = useState<Order>('given');
  const rows = useMemo(() => orderRows(tableRows(result), order), [result, order]);
  const { shown, more } = useCapped(rows, SHOWN_AT_FIRST);
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
          {shown.map((row, index) => (
            <tr key={index}>
              <td className="mono">{formatSeries(row.labels)}</td>
              <td className="number mono table-value">
                {typeof row.value === 'number' ? formatExact(row.value) : row.value}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}
