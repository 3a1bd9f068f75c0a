// What fires, what is about to, what is silenced, what was told to whom, and what became of it all.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import { notificationsQuery, pendingAlertsQuery, routedAlertsQuery, silencesQuery } from '../../api/polling';
import { useParameter } from '../../app/location';
import { Choice } from '../../components/Choice';
import { FilterField } from '../../components/FilterField';
import { Icon } from '../../components/Icon';
import { PageTitle } from '../../components/PageTitle';
import { FiringAlerts } from './FiringAlerts';
import { HistoryView } from './HistoryView';
import { NotificationList } from './NotificationList';
import { PendingAlerts } from './PendingAlerts';
import { RecurringList } from './RecurringList';
import { SilenceDialog } from './SilenceDialog';
import { SilenceList } from './SilenceList';
import '../../components/table.css';
import './alerts.css';

export default function AlertsPage() {
  const [view, setView] = useParameter('view', 'firing');
  const [filter, setFilter] = useParameter('filter', '');
  const [draft, setDraft] = useParameter('new', '');
  const [recurring, setRecurring] = useParameter('recurring', '');
  const wanted = useDeferredValue(filter);
  const routed = useQuery(routedAlertsQuery).data;
  const pending = useQuery(pendingAlertsQuery).data;
  const silences = useQuery(silencesQuery).data;
  const notifications = useQuery(notificationsQuery).data;
  return (
    <>
      <PageTitle title="Alerts">
        <FilterField label="Filter alerts" value={filter} onChange={setFilter} />
        <Choice
          label="Show"
          value={view}
          onChange={setView}
          options={[
            { value: 'firing', label: 'Firing', count: routed?.length },
            { value: 'pending', label: 'Pending', count: pending?.alerts },
            {
              value: 'silences',
              label: 'Silences',
              count: silences?.filter((silence) => silence.status.state !== 'expired').length,
            },
            { value: 'notifications', label: 'Notifications', count: notifications?.undelivered.length },
            { value: 'history', label: 'History' },
          ]}
        />
        <Button size="xs" leftSection={<Icon name="plus" size={14} />} onClick={() => setDraft('{}')}>
          New silence
        </Button>
      </PageTitle>
      {view === 'pending' && <PendingAlerts filter={wanted} />}
      {view === 'silences' && (
        <div className="stack">
          <RecurringList filter={wanted} onEdit={setRecurring} />
          <SilenceList filter={wanted} onAgain={setDraft} />
        </div>
      )}
      {view === 'notifications' && <NotificationList filter={wanted} />}
      {view === 'history' && <HistoryView filter={wanted} />}
      {!['pending', 'silences', 'notifications', 'history'].includes(view) && (
        <FiringAlerts filter={wanted} onSilence={setDraft} />
      )}
      <SilenceDialog
        draft={draft}
        recurring={recurring}
        onClose={() => {
          setDraft('');
          setRecurring('');
        }}
      />
    </>
  );
}
