// The history of alerts, trying a receiver, rule packs.
import { expect, test } from './fixtures';

test.use({ owner: 'alerting' });

test('history: the newest first, by labels, words and time', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=history`);
  const history = page.getByRole('region', { name: 'History' });
  await expect(history.getByRole('row', { name: /fired.*DiskAlmostFull/ })).toBeVisible();
  await expect(history.getByRole('row', { name: /fired.*CertificateExpires/ })).toBeVisible();
  await page.getByLabel('Filter alerts').fill('alertname="DiskAlmostFull"');
  await expect(history.getByRole('row', { name: /CertificateExpires/ })).toHaveCount(0);
  await page.getByLabel('Filter alerts').fill('certificate');
  await expect(history.getByRole('row', { name: /CertificateExpires/ })).not.toHaveCount(0);
  await expect(history.getByRole('row', { name: /DiskAlmostFull/ })).toHaveCount(0);
  await page.getByLabel('Filter alerts').fill('');
  await history.getByText('From … to', { exact: true }).click();
  await history.getByLabel('From', { exact: true }).fill('2020-01-01T00:00');
  await history.getByLabel('To', { exact: true }).fill('2020-01-02T00:00');
  await expect(history).toContainText('Nothing happened');
  await history.getByText('7d', { exact: true }).click();
  await history.getByRole('link', { name: 'Why? DiskAlmostFull' }).first().click();
  await expect(page.getByRole('heading', { level: 1, name: 'DiskAlmostFull' })).toBeVisible();
});

test('history: too much of it is shown in part', async ({ page, program }) => {
  const event = (index: number) => ({
    at: new Date(Date.now() - index * 1000).toISOString(),
    fingerprint: '0123456789abcdef',
    labels: { alertname: 'Many', instance: `db-${index}` },
    change: index % 2 === 0 ? 'fired' : 'resolved',
    detail: '',
  });
  await page.route('**/alerts/history?*', (route) => {
    const limit = Number(new URL(route.request().url()).searchParams.get('limit'));
    return route.fulfill({ json: Array.from({ length: limit }, (_, index) => event(index)) });
  });
  await page.goto(`${program.url}/alerts?view=history`);
  const history = page.getByRole('region', { name: 'History' });
  await expect(history).toContainText('Showing 100 of 500');
  await expect(history.locator('tbody tr')).toHaveCount(100);
  await expect(history).toContainText('newest 500 events');
  await history.getByRole('button', { name: 'Load older ones' }).click();
  await expect(history).toContainText('Showing 100 of 2,000');
});

test('a receiver is tried, and each integration says how it took it', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=notifications`);
  await page.getByRole('button', { name: 'Test a receiver …' }).click();
  const dialog = page.getByRole('dialog', { name: 'Test a receiver' });
  await dialog.getByLabel('Receiver').selectOption('chat');
  await expect(dialog).toContainText('This really sends a message');
  await dialog.getByRole('button', { name: 'Send the test' }).click();
  const answers = dialog.getByRole('table', { name: 'Answers of chat' });
  await expect(answers.getByRole('row', { name: /delivered.*webhook\[0\].*the alert/ })).toBeVisible();
  await expect(answers.getByRole('row', { name: /delivered.*webhook\[0\].*its end/ })).toBeVisible();
  await dialog.getByLabel('Receiver').selectOption('pager');
  await dialog.getByRole('button', { name: 'Send the test' }).click();
  await expect(dialog.getByRole('table', { name: 'Answers of pager' })).toContainText('failed');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  // From an alert's page the way leads to the receiver that it is routed to.
  await page.goto(`${program.url}/alerts/${await program.fingerprint('CertificateExpires')}`);
  await page.getByRole('link', { name: 'Test pager …' }).click();
  await expect(dialog.getByLabel('Receiver')).toHaveValue('pager');
});

test('rule packs: what there is, and that one is enabled', async ({ page, program }) => {
  await page.goto(`${program.url}/rules`);
  await page.getByText('Packs', { exact: true }).click();
  const packs = page.getByRole('region', { name: 'Rule packs' });
  const host = packs.getByRole('row', { name: /disks, inodes/ });
  await expect(host).toContainText('off');
  await expect(host).toContainText('binnacle pack enable host --reload');
  await expect(host.getByRole('link', { name: 'Runbook of host' })).toHaveAttribute('href', '/runbooks/host');
  await program.command('pack', 'enable', 'host', '--reload');
  await expect(host).toContainText('enabled');
  await expect(host).toContainText('binnacle pack disable host --reload');
  await page.getByLabel('Filter rules').fill('certificates');
  await expect(packs.getByRole('row', { name: /TLS certificates/ })).toBeVisible();
  await expect(host).toBeHidden();
  await program.command('pack', 'disable', 'host', '--reload');
  await page.goto(`${program.url}/runbooks/host`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('host');
});
