// The form for a silence, once or again and again. It says whom the silence will mute before it is made.
import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { recurrencesQuery } from '../../api/polling';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { SilenceForm } from './SilenceForm';
import '../../components/filter.css';

interface SilenceDialogProps {
  /** Matchers to begin with, as text; empty: no new silence. */
  readonly draft: string;
  /** The id of the recurring silence that is changed, or `new`; empty: none. */
  readonly recurring: string;
  readonly onClose: () => void;
}

export function SilenceDialog({ draft, recurring, onClose }: SilenceDialogProps) {
  const isChange = recurring !== '' && recurring !== 'new';
  return (
    <Modal
      opened={draft !== '' || recurring !== ''}
      onClose={onClose}
      title={isChange ? 'Change a recurring silence' : 'New silence'}
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {isChange && <Change id={recurring} onDone={onClose} />}
      {!isChange && (draft !== '' || recurring !== '') && (
        <SilenceForm key={draft} draft={draft} isRecurring={recurring === 'new'} recurrence={null} onDone={onClose} />
      )}
    </Modal>
  );
}

function Change({ id, onDone }: { readonly id: string; readonly onDone: () => void }) {
  const recurrences = useQuery(recurrencesQuery);
  return (
    <Loaded query={recurrences} height={300}>
      {(list) => {
        const recurrence = list.find((one) => one.id === id);
        if (recurrence === undefined) {
          return <EmptyState icon="silence" title="There is no such recurring silence any more" />;
        }
        return <SilenceForm key={id} draft="" isRecurring recurrence={recurrence} onDone={onDone} />;
      }}
    </Loaded>
  );
}
