// Asks PromQL and shows the answer as a graph or a table. Everything that is asked stands in the address.
import { Button } from '@mantine/core';
import { useCallback, useEffect, useState } from 'react';
import { navigate, usePlace } from '../../app/location';
import { Choice } from '../../components/Choice';
import { PageTitle } from '../../components/PageTitle';
import { readAddress, writeAddress, type ExploreState } from './address';
import { Answer } from './Answer';
import { QueryEditor } from './QueryEditor';
import { RecentQueries } from './RecentQueries';
import { rememberQuery } from './history';
import { TimeControls } from './TimeControls';
import { useExploreQuery } from './useExploreQuery';
import './explore.css';

export default function ExplorePage() {
  const state = readAddress(usePlace().search);
  const [draft, setDraft] = useState(state.query);
  const [run, setRun] = useState(0);
  const answer = useExploreQuery(state, run);

  // The back button brings back the query that was asked, also into the editor.
  useEffect(() => setDraft(state.query), [state.query]);

  const change = useCallback((next: ExploreState, how: 'push' | 'replace') => {
    navigate(writeAddress(next), how);
  }, []);
  const ask = (query: string) => {
    const trimmed = query.trim();
    if (trimmed === '') return;
    rememberQuery(trimmed);
    setDraft(trimmed);
    change({ ...state, query: trimmed }, trimmed === state.query ? 'replace' : 'push');
    setRun((count) => count + 1);
  };
  return (
    <>
      <PageTitle title="Explore" aside="PromQL" />
      <div className="stack">
        <section className="panel explore-form" aria-label="Query">
          <div className="explore-line">
            <QueryEditor value={draft} onChange={setDraft} onRun={ask} />
            <Button className="explore-run" loading={answer.isFetching} onClick={() => ask(draft)}>
              Run
            </Button>
          </div>
          <div className="row row-between">
            <TimeControls state={state} onChange={(next) => change(next, 'replace')} />
            <RecentQueries onChoose={ask} />
          </div>
        </section>
        <section className={answer.isOld ? 'panel answer-old' : 'panel'} aria-label="Answer" aria-busy={answer.isFetching}>
          <div className="panel-head">
            <Choice
              label="Show as"
              value={state.view}
              onChange={(view) => change({ ...state, view: view === 'table' ? 'table' : 'graph' }, 'replace')}
              options={[
                { value: 'graph', label: 'Graph' },
                { value: 'table', label: 'Table' },
              ]}
            />
            <span className="dim" role="status">
              {answer.summary}
            </span>
          </div>
          <Answer
            state={state}
            answer={answer}
            onAsk={ask}
            onSpan={(start, end) =>
              change({ ...state, rangeSeconds: Math.max(10, Math.round(end - start)), endSeconds: Math.round(end) }, 'push')
            }
          />
        </section>
      </div>
    </>
  );
}
