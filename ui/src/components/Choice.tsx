// A few choices side by side, of which one holds; each may carry a count.
import './filter.css';
import { SegmentedControl } from '@mantine/core';

export interface ChoiceOption {
  readonly value: string;
  readonly label: string;
  readonly count?: number | undefined;
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly ChoiceOption[];
  readonly onChange: (value: string) => void;
}

export function Choice({ label, value, options, onChange }: ChoiceProps) {
  return (
    <div className="choice">
      <SegmentedControl
        size="xs"
        aria-label={label}
        value={value}
        onChange={onChange}
        data={options.map((option) => ({
          value: option.value,
          label: option.count === undefined ? option.label : `${option.label} ${option.count}`,
        }))}
      />
    </div>
  );
}
