// Trying a receiver: a message marked as a test to everybody behind it, and how each took it.
import { Button, Modal } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { receiversQuery } from '../../api/polling';
import { tryReceiver, type Trial } from '../../api/receivers';
import { useParameter } from '../../app/location';
import { Badge } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { formatDuration } from '../../formatting/duration';
import '../../components/filter.css';

/** In the address, so that a receiver's test can be linked to; `any` chooses none. */
const ANY = 'any';

export function ReceiverTest() {
  const [chosen, setChosen] = useParameter('test', '');
  const close = () => setChosen('');
  return (
    <>
      <Button size="compact-sm" variant="default" onClick={() => setChosen(ANY)}>
        Test a receiver …
      </Button>
      <Modal
        opened={chosen !== ''}
        onClose={close}
        title="Test a receiver"
        size="lg"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {chosen !== '' && <Receivers chosen={chosen} onClose={close} />}
      </Modal>
    </>
  );
}

interface ReceiversProps {
  readonly chosen: string;
  readonly onClose: () => void;
}

function Receivers({ chosen, onClose }: ReceiversProps) {
  const receivers = useQuery(receiversQuery);
  return (
    <Loaded query={receivers} height={160}>
      {(names) =>
        names.length === 0 ? (
          <EmptyState icon="alerts" title="There is no receiver">
            <p>Receivers are named in alertmanager.yml.</p>
          </EmptyState>
        ) : (
          <TestForm names={names} chosen={chosen} onClose={onClose} />
        )
      }
    </Loaded>
  );
}

interface TestFormProps extends ReceiversProps {
  readonly names: readonly string[];
}

function TestForm({ names, chosen, onClose }: TestFormProps) {
  const [name, setName] = useState(names.includes(chosen) ? chosen : (names[0] ?? ''));
  const [resolves, setResolves] = useState(true);
  const test = useMutation({ mutationFn: () => tryReceiver(name, resolves) });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    test.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <label className="field-label">
        Receiver
        <select
          className="field"
          value={name}
          data-autofocus
          disabled={test.isPending}
          onChange={(event) => {
            setName(event.currentTarget.value);
            test.reset();
          }}
        >
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      </label>
      <label className="row">
        <input
          type="checkbox"
          checked={resolves}
          disabled={test.isPending}
          onChange={(event) => setResolves(event.currentTarget.checked)}
        />
        Send its end as well, so that nothing stays open there
      </label>
      <p>
        This really sends a message to everybody behind <strong>{name}</strong>, past routing, grouping and silences. It says
        that it is a test (<code>BinnacleTest</code>). Nothing of it is repeated.
      </p>
      <div className="row">
        <Button type="submit" loading={test.isPending}>
          {test.isSuccess || test.isError ? 'Send the test again' : 'Send the test'}
        </Button>
        <Button variant="default" onClick={onClose}>
          {test.isSuccess ? 'Close' : 'Cancel'}
        </Button>
      </div>
      <div aria-live="polite" className="stack">
        {test.isPending && <p className="dim">Waiting for the answers; one that hangs takes up to 40 seconds.</p>}
        {test.isError && <Banner tone="high" title={test.error.message} />}
        {test.isSuccess && <Trials name={name} trials={test.data} />}
      </div>
    </form>
  );
}

function Trials({ name, trials }: { readonly name: string; readonly trials: readonly Trial[] }) {
  if (trials.length === 0) return <Banner tone="high" title={`${name} has no integration: nobody is told`} />;
  return (
    <table className="table table-stacked" aria-label={`Answers of ${name}`}>
      <tbody>
        {trials.map((trial) => (
          <tr key={`${trial.integration} ${String(trial.resolved)}`}>
            <td className="fit">
              <Badge tone={trial.delivered ? 'good' : 'critical'}>{trial.delivered ? 'delivered' : 'failed'}</Badge>
            </td>
            <td className="fit mono">{trial.integration}</td>
            <td className="fit" data-name="Sent">
              {trial.resolved ? 'its end' : 'the alert'}
            </td>
            <td>
              {trial.error !== null && <div className="table-note">{trial.error}</div>}
              {trial.templateError !== null && (
                <div className="table-note">Sent as plain text, because its template fails: {trial.templateError}</div>
              )}
            </td>
            <td className="fit number" data-name="Took">
              {formatDuration(trial.seconds)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
