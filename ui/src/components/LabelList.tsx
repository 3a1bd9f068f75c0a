// A label set as small pairs that wrap.
import { sortedPairs, type Labels } from '../formatting/labels';
import './labels.css';

interface LabelListProps {
  readonly labels: Labels;
  readonly skip?: readonly string[];
}

export function LabelList({ labels, skip = [] }: LabelListProps) {
  const pairs = sortedPairs(labels, skip);
  if (pairs.length === 0) return null;
  return (
    <ul className="labels">
      {pairs.map(([name, value]) => (
        <li key={name}>
          <span className="label-name">{name}=</span>
          {value === '' ? '""' : value}
        </li>
      ))}
    </ul>
  );
}
