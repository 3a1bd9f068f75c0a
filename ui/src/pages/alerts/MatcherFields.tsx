// One line for each matcher of a silence: label, operator, value.
import { ActionIcon, Button } from '@mantine/core';
import type { Matcher } from '../../api/alertmanager';
import { Icon } from '../../components/Icon';
import { OPERATORS, operatorOf, withOperator, type Operator } from './matchers';

const EMPTY: Matcher = { name: '', value: '', isEqual: true, isRegex: false };

interface MatcherFieldsProps {
  readonly matchers: readonly Matcher[];
  /** Whether a dialog that opens puts the focus here. */
  readonly isFirst: boolean;
  readonly onChange: (matchers: readonly Matcher[]) => void;
}

export function MatcherFields({ matchers, isFirst, onChange }: MatcherFieldsProps) {
  const change = (index: number, next: Matcher) => onChange(matchers.with(index, next));
  return (
    <fieldset className="matchers">
      <legend>Matchers</legend>
      {matchers.map((matcher, index) => {
        const nth = `matcher ${index + 1}`;
        return (
          <div key={index} className="matcher">
            <input
              className="field mono"
              aria-label={`Label of ${nth}`}
              placeholder="label"
              data-autofocus={isFirst && index === 0 ? true : undefined}
              value={matcher.name}
              onChange={(event) => change(index, { ...matcher, name: event.currentTarget.value.trim() })}
            />
            <select
              className="field mono"
              aria-label={`Operator of ${nth}`}
              value={operatorOf(matcher)}
              onChange={(event) => change(index, withOperator(matcher, event.currentTarget.value as Operator))}
            >
              {OPERATORS.map((operator) => (
                <option key={operator}>{operator}</option>
              ))}
            </select>
            <input
              className="field mono"
              aria-label={`Value of ${nth}`}
              placeholder="value"
              value={matcher.value}
              onChange={(event) => change(index, { ...matcher, value: event.currentTarget.value })}
            />
            <ActionIcon
              variant="default"
              size={34}
              aria-label={`Remove ${nth}`}
              disabled={matchers.length === 1}
              onClick={() => onChange(matchers.toSpliced(index, 1))}
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </div>
        );
      })}
      <div>
        <Button size="compact-sm" variant="default" onClick={() => onChange([...matchers, EMPTY])}>
          Add a matcher
        </Button>
      </div>
    </fieldset>
  );
}
