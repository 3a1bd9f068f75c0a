// Acknowledge, resolve, add a note. The answer of each is the incident as it is then, shown at once.
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type FormEvent } from 'react';
import { actOnIncident, type IncidentAction, type IncidentDetails } from '../../api/incidents';
import { incidentQuery, incidentsQuery } from '../../api/polling';
import { Banner } from '../../components/Banner';
import { usePersonName } from '../../components/usePersonName';
import '../../components/filter.css';

export function IncidentActions({ incident }: { readonly incident: IncidentDetails }) {
  const client = useQueryClient();
  const [person, setPerson] = usePersonName();
  const [note, setNote] = useState('');
  const noteId = useId();
  const act = useMutation({
    mutationFn: (action: IncidentAction) => actOnIncident(incident.id, action),
    onSuccess: (changed, action) => {
      client.setQueryData(incidentQuery(incident.id).queryKey, changed);
      void client.invalidateQueries({ queryKey: incidentsQuery.queryKey });
      if (action.kind === 'notes') setNote('');
    },
  });
  const author = person.trim();
  const addNote = (event: FormEvent) => {
    event.preventDefault();
    act.mutate({ kind: 'notes', author, text: note.trim() });
  };
  return (
    <section className="panel" aria-label="Respond">
      <div className="panel-head">
        <h2>Respond</h2>
      </div>
      <form className="panel-body stack" onSubmit={addNote}>
        <label className="field-label">
          Your name
          <input className="field" value={person} autoComplete="name" onChange={(event) => setPerson(event.currentTarget.value)} />
        </label>
        {incident.status !== 'resolved' && (
          <div className="row">
            {incident.status === 'open' && (
              <Button loading={act.isPending} onClick={() => act.mutate({ kind: 'acknowledge', author })}>
                Acknowledge
              </Button>
            )}
            <Button variant="default" disabled={act.isPending} onClick={() => act.mutate({ kind: 'resolve', author })}>
              Resolve
            </Button>
          </div>
        )}
        <label className="field-label" htmlFor={noteId}>
          Note
          <textarea
            id={noteId}
            className="field"
            rows={3}
            value={note}
            placeholder="What you see, what you do"
            onChange={(event) => setNote(event.currentTarget.value)}
          />
        </label>
        <div>
          <Button type="submit" variant="default" disabled={note.trim() === '' || act.isPending}>
            Add note
          </Button>
        </div>
        <div role="status">{act.error !== null && <Banner tone="high" title={act.error.message} />}</div>
      </form>
    </section>
  );
}
