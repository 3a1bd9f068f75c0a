// Why somebody was told of an alert, or was not: on a page of its own, reached from everywhere.
import { expect, test } from './fixtures';

test.use({ owner: 'explain' });

test('an alert that fires says who was told, by which route, and from which rule', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts`);
  await page.getByRole('link', { name: 'Why? DiskAlmostFull' }).click();
  await expect(page).toHaveURL(/\/alerts\/[0-9a-f]{16}$/);
  await expect(page.getByRole('heading', { level: 1, name: 'DiskAlmostFull' })).toBeFocused();
  await expect(page.getByText(/^chat was told at/)).toBeVisible();
  const standing = page.getByRole('region', { name: 'Where it stands' });
  await expect(standing).toContainText('firing');
  await expect(standing).toContainText('93.5');
  const route = page.getByRole('region', { name: 'Route to chat' });
  await expect(route).toContainText('first after 1s');
  await expect(route.getByRole('row', { name: /webhook\[0\]/ })).toContainText('told at');
  await expect(page.getByRole('region', { name: 'Attempts' })).toContainText('delivered');
  const history = page.getByRole('region', { name: 'History' });
  await expect(history.getByRole('img', { name: /Fired 1 time/ })).toBeVisible();
  await expect(history.getByRole('row', { name: /fired/ })).toContainText('for chat');
  await page.getByRole('region', { name: 'Rule', exact: true }).getByRole('link', { name: 'vector(93.5)' }).click();
  await expect(page).toHaveURL(/\/explore\?g0\.expr=vector/);
});

test('an alert that reaches nobody says how it failed', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=notifications`);
  await page.getByRole('region', { name: 'Reached nobody' }).getByRole('link', { name: 'Why? CertificateExpires' }).click();
  await expect(page.getByText(/^Nobody was told yet: .*to tell pager failed/)).toBeVisible();
  await expect(page.getByRole('region', { name: 'Attempts' })).toContainText('failed');
  await expect(page.getByRole('region', { name: 'Route to pager' })).toContainText('failing');
});

test('an alert that is pending says when it fires and who is told then', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=pending`);
  await expect(page.locator('.alert')).toContainText(/fires in 1h 5\dm/);
  await page.getByRole('link', { name: 'Why? SlowCheckout' }).click();
  await expect(page.getByText(/^Nobody was told yet: its condition holds, but not for 2h yet/)).toBeVisible();
  await expect(page.getByText(/then chat will be told/)).toBeVisible();
  await expect(page.getByRole('region', { name: 'History' })).toContainText('It has not fired yet');
});

test('a silence and an inhibition say who stands behind them', async ({ page, program }) => {
  const now = Date.now();
  const silence = (await program.post('/api/v2/silences', {
    matchers: [{ name: 'alertname', value: 'Quiet', isRegex: false, isEqual: true }],
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 3_600_000).toISOString(),
    createdBy: 'Ada',
    comment: 'Replacing the disk',
  })) as { silenceID: string };
  await program.post('/api/v2/alerts', [{ labels: { alertname: 'Quiet', job: 'a' } }]);
  await page.goto(`${program.url}/alerts/${await program.fingerprint('Quiet')}`);
  await expect(page.getByText(/^Nobody was told: silence .* of Ada mutes it until/)).toBeVisible();
  const mutes = page.getByRole('region', { name: 'What mutes it' });
  await expect(mutes).toContainText('Replacing the disk');
  await expect(page.getByRole('region', { name: 'Rule', exact: true })).toContainText('another program sends it');
  await mutes.getByRole('link', { name: 'Silence of Ada' }).click();
  await expect(page).toHaveURL(new RegExp(`filter=${silence.silenceID}`));
  await expect(page.getByText('Replacing the disk')).toBeVisible();
});

test('an alert that is over keeps its history', async ({ page, program }) => {
  const labels = { alertname: 'Passing', job: 'a' };
  const now = Date.now();
  await program.post('/api/v2/alerts', [{ labels, startsAt: new Date(now).toISOString() }]);
  const fingerprint = await program.fingerprint('Passing');
  await page.goto(`${program.url}/alerts/${fingerprint}`);
  await expect(page.getByText(/^chat was told at/)).toBeVisible();
  await program.post('/api/v2/alerts', [{ labels, startsAt: new Date(now).toISOString(), endsAt: new Date().toISOString() }]);
  await expect(page.getByText(/^It is over/)).toBeVisible();
  await expect(page.getByRole('region', { name: 'History' }).getByRole('row', { name: /resolved/ })).toBeVisible();
});

test('an alert that nobody knows says so', async ({ page, program }) => {
  for (const fingerprint of ['0123456789abcdef', 'nonsense']) {
    await page.goto(`${program.url}/alerts/${fingerprint}`);
    await expect(page.getByText(`Nothing is known of an alert ${fingerprint}`)).toBeVisible();
  }
});

test('an incident leads to the explanation of its alert', async ({ page, program }) => {
  await page.goto(`${program.url}/incidents`);
  await page.getByRole('link', { name: /disk of db-1/ }).click();
  await page.getByRole('link', { name: 'Why? DiskAlmostFull' }).click();
  await expect(page.getByText(/^chat was told at/)).toBeVisible();
  // And back.
  await page.getByRole('link', { name: /^Incident #/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('The disk of db-1');
});

test('a notification leads to its alerts', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=notifications`);
  const told = page.getByRole('region', { name: 'Recent notifications' }).getByRole('row', { name: /delivered.*DiskAlmostFull/ });
  await told.getByRole('link', { name: /disk of db-1/ }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'DiskAlmostFull' })).toBeVisible();
});

test('links of Alertmanager lead to the right place', async ({ page, program }) => {
  await page.goto(`${program.url}/#/alerts?filter=${encodeURIComponent('{alertname="CertificateExpires"}')}`);
  await expect(page.getByRole('heading', { name: 'CertificateExpires' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'DiskAlmostFull' })).toBeHidden();
  await page.goto(`${program.url}/#/silences/new?filter=${encodeURIComponent('{alertname="DiskAlmostFull"}')}`);
  await expect(page.getByRole('dialog', { name: 'New silence' }).getByLabel('Value of matcher 1')).toHaveValue('DiskAlmostFull');
});

test('a flapping alert is marked', async ({ page, program }) => {
  const fingerprint = await program.fingerprint('DiskAlmostFull');
  // What the server answers once an alert began five times within an hour.
  await page.route('**/api/binnacle/v1/alerts/flapping', (route) =>
    route.fulfill({ json: { alerts: 1, list: [{ fingerprint, labels: { alertname: 'DiskAlmostFull' } }] } }),
  );
  await page.goto(`${program.url}/alerts`);
  await expect(page.getByRole('region', { name: 'DiskAlmostFull' })).toContainText('flapping');
  await expect(page.getByRole('region', { name: 'CertificateExpires' })).not.toContainText('flapping');
});
