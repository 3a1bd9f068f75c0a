// A list of the queries asked last, opened by a button.
import { Button } from '@mantine/core';
import { useState } from 'react';
import { Icon } from '../../components/Icon';
import { recentQueries } from './history';

export function RecentQueries({ onChoose }: { readonly onChoose: (query: string) => void }) {
  const [isOpen, setIsOpen] = useState(false);
  const queries = isOpen ? recentQueries() : [];
  return (
    <div
      className="recent"
      onKeyDown={(event) => {
        if (event.key === 'Escape') setIsOpen(false);
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setIsOpen(false);
      }}
    >
      <Button
        size="xs"
        variant="default"
        leftSection={<Icon name="clock" size={14} />}
        aria-expanded={isOpen}
        onClick={() => setIsOpen(!isOpen)}
      >
        Recent
      </Button>
      {isOpen && (
        <ul className="recent-list">
          {queries.length === 0 && <li className="dim recent-none">What you ask is kept here, in this browser.</li>}
          {queries.map((query) => (
            <li key={query}>
              <button
                type="button"
                onClick={() => {
                  setIsOpen(false);
                  onChoose(query);
                }}
              >
                {query}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
