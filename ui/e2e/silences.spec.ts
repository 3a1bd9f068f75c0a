// Silences: whom one will mute, and those that come again.
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';

test.use({ owner: 'silences' });

const dialogOf = (page: Page) => page.getByRole('dialog', { name: 'New silence' });

test('the dialog says whom a silence will mute while it is written', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts`);
  await page.getByRole('button', { name: 'Silence CertificateExpires' }).click();
  const dialog = dialogOf(page);
  const preview = dialog.getByRole('region', { name: 'Whom it mutes' });
  await expect(preview).toContainText('It mutes 1 alert now; in the last 30 days it would have muted 1.');
  await expect(preview.getByRole('listitem').first()).toContainText('fires now');
  await dialog.getByLabel('Value of matcher 1').fill('NoSuchAlert');
  await expect(preview).toContainText('It mutes nobody');
  await dialog.getByLabel('Operator of matcher 1').selectOption('=~');
  await dialog.getByLabel('Value of matcher 1').fill('Cert(');
  await expect(preview).toContainText('Whom it mutes is not known');
  await dialog.getByLabel('Value of matcher 1').fill('Cert.*');
  await expect(preview).toContainText('It mutes 1 alert now');
});

test('the preview stays behind when the answer is slow, and says when there is none', async ({ page, program }) => {
  let asked = 0;
  await page.route('**/silences/would-mute?*', async (route) => {
    asked += 1;
    if (asked === 1) return;
    await route.abort();
  });
  await page.goto(`${program.url}/alerts?new=${encodeURIComponent('{alertname="A"}')}`);
  const preview = dialogOf(page).getByRole('region', { name: 'Whom it mutes' });
  await expect(preview).toContainText('Looking whom it mutes');
  await dialogOf(page).getByLabel('Value of matcher 1').fill('B');
  await expect(preview).toContainText('Whom it mutes is not known: Binnacle does not answer');
});

test('too many alerts are listed in part', async ({ page, program }) => {
  const list = Array.from({ length: 500 }, (_, index) => ({
    labels: { alertname: 'Many', instance: `db-${index}` },
    fingerprint: index.toString(16).padStart(16, '0'),
    firing: index < 20,
    fired: 3,
    last: '2026-01-01T00:00:00Z',
  }));
  await page.route('**/silences/would-mute?*', (route) =>
    route.fulfill({ json: { since: '2026-01-01T00:00:00Z', firing: 20, alerts: 2_000, list } }),
  );
  await page.goto(`${program.url}/alerts?new=${encodeURIComponent('{alertname="Many"}')}`);
  const preview = dialogOf(page).getByRole('region', { name: 'Whom it mutes' });
  await expect(preview).toContainText('It mutes 20 alerts now; in the last 30 days it would have muted 2,000.');
  await expect(preview.locator('.preview-list > li')).toHaveCount(5);
  await expect(preview).toContainText('1,500 more are not listed');
  await preview.getByRole('button', { name: 'Show more' }).click();
  await expect(preview.locator('.preview-list > li')).toHaveCount(10);
});

test('a silence that comes again is made, changed and ended', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=silences`);
  const list = page.getByRole('region', { name: 'Recurring silences' });
  await expect(list).toContainText('a backup each Saturday night');
  await list.getByRole('button', { name: 'New recurring silence' }).click();
  const dialog = dialogOf(page);
  await dialog.getByLabel('Label of matcher 1').fill('alertname');
  await dialog.getByLabel('Value of matcher 1').fill('Backup');
  await dialog.getByLabel('Time zone').fill('Europe/Atlantis');
  await dialog.getByLabel('Your name').fill('Ada');
  await dialog.getByLabel('Why').fill('Weekly backup');
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
  // What the server refuses stands beside its field.
  await expect(dialog.getByRole('alert')).toContainText('unknown time zone Europe/Atlantis');
  await expect(dialog.getByLabel('Time zone')).toHaveAttribute('aria-invalid', 'true');
  await dialog.getByLabel('Time zone').fill('Europe/Berlin');
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(list).toContainText('Sat 02:00–04:00, Europe/Berlin');
  await expect(list).toContainText(/next in/);
  await list.getByRole('button', { name: 'Change alertname="Backup"' }).click();
  const change = page.getByRole('dialog', { name: 'Change a recurring silence' });
  await expect(change.getByLabel('Sat', { exact: true })).toBeChecked();
  await change.getByLabel('Sun', { exact: true }).check();
  await change.getByRole('button', { name: 'Save' }).click();
  await expect(change).toBeHidden();
  await expect(list).toContainText('Sun, Sat 02:00–04:00');
  await list.getByRole('button', { name: 'End alertname="Backup" for good' }).click();
  await list.getByRole('button', { name: 'End it', exact: true }).click();
  await expect(list).toContainText('a backup each Saturday night');
});

test('a window that is open makes a silence at once', async ({ page, program }) => {
  const made = (await program.post('/api/binnacle/v1/silences/recurring', {
    matchers: [{ name: 'alertname', value: 'Always', isRegex: false, isEqual: true }],
    window: { years: ['2000:3000'] },
    createdBy: 'Ada',
    comment: 'open all the time',
  })) as { id: string };
  await page.goto(`${program.url}/alerts?view=silences&filter=${encodeURIComponent('alertname="Always"')}`);
  await expect(page.getByRole('region', { name: 'Recurring silences' })).toContainText('active');
  await expect(page.getByText('recurring', { exact: true })).toBeVisible();
  await fetch(`${program.url}/api/binnacle/v1/silences/recurring/${made.id}`, { method: 'DELETE' });
});

test('a reminder is chosen with the silence, and shown', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?new=${encodeURIComponent('{alertname="Reminded"}')}`);
  const dialog = dialogOf(page);
  await dialog.getByLabel('Reminder').selectOption('1d');
  await expect(dialog).toContainText('nobody would be reminded');
  await dialog.getByLabel('Reminder').selectOption('10m');
  await dialog.getByLabel('Your name').fill('Ada');
  await dialog.getByLabel('Why').fill('Trying it');
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
  await expect(dialog).toBeHidden();
  await page.goto(`${program.url}/alerts?view=silences&filter=Reminded`);
  await expect(page.getByText('reminds 10m before')).toBeVisible();
});

test('the keyboard alone makes a silence that comes again', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=silences`);
  await page.getByRole('button', { name: 'New recurring silence' }).focus();
  await page.keyboard.press('Enter');
  const dialog = dialogOf(page);
  await expect(dialog).toBeVisible();
  await dialog.getByLabel('Label of matcher 1').focus();
  await page.keyboard.type('alertname');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.type('Keys');
  await dialog.getByLabel('Mon', { exact: true }).focus();
  await page.keyboard.press('Space');
  await dialog.getByLabel('Your name').focus();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.type('Ada');
  await page.keyboard.press('Tab');
  await page.keyboard.type('By hand');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  const list = page.getByRole('region', { name: 'Recurring silences' });
  await expect(list).toContainText('Mon, Sat 02:00–04:00');
  await list.getByRole('button', { name: 'End alertname="Keys" for good' }).focus();
  await page.keyboard.press('Enter');
  await expect(list.getByRole('button', { name: 'End it', exact: true })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(list).not.toContainText('Keys');
});
