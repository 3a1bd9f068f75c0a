// Every page shows what the program knows.
import { expect, test } from './fixtures';

test('overview shows this host live, what fires and what is open', async ({ page, program }) => {
  await page.goto(program.url);
  await expect(page).toHaveTitle('Overview · Binnacle');
  const summary = page.getByRole('region', { name: 'Summary' });
  // A third one fires once the pager was tried in vain for half a minute.
  await expect(summary.getByRole('link', { name: /Alerts firing [23]/ })).toBeVisible();
  await expect(summary.getByRole('link', { name: /Alerts pending 1/ })).toBeVisible();
  await expect(summary.getByRole('link', { name: /Targets down 1/ })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Firing' })).toContainText('The disk of db-1 is 93.5 % full');
  await expect(page.getByRole('region', { name: 'Open incidents' })).toContainText('The disk of db-1');
  for (const panel of ['CPU', 'Memory', 'Load', 'Network', 'Processes', 'Memory of Binnacle', 'Series']) {
    await expect(page.getByRole('article', { name: panel, exact: true })).toContainText(/\d/);
  }
  await expect(page.getByRole('region', { name: 'Filesystems' }).getByRole('listitem').first()).toContainText('free of');
  await expect(page.getByRole('region', { name: 'Problems' })).toContainText('1 alert reached nobody');
  await page.getByText('1 hour', { exact: true }).click();
  await expect(page).toHaveURL(/span=1h/);
});

test('alerts: filter, silence one, end the silence', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts`);
  await expect(page.getByRole('heading', { name: 'CertificateExpires' })).toBeVisible();
  await page.keyboard.press('/');
  await page.keyboard.type('severity="critical"');
  await expect(page.getByRole('heading', { name: 'CertificateExpires' })).toBeHidden();
  await page.getByRole('button', { name: 'Silence DiskAlmostFull' }).click();
  const dialog = page.getByRole('dialog', { name: 'New silence' });
  await expect(dialog.getByLabel('Value of matcher 1')).toHaveValue('DiskAlmostFull');
  await expect(dialog).toContainText('It mutes 1 alert now');
  await expect(dialog.getByRole('button', { name: 'Silence', exact: true })).toBeDisabled();
  await dialog.getByLabel('Your name').fill('Ada');
  await dialog.getByLabel('Why').fill('Cleaning up backups');
  await dialog.getByRole('button', { name: '30m' }).click();
  await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('region', { name: 'DiskAlmostFull' })).toContainText('silenced');
  await page.goto(`${program.url}/#/silences`);
  await expect(page).toHaveURL(/view=silences/);
  await expect(page.getByText('Cleaning up backups')).toBeVisible();
  await expect(page.getByText('holds for 1 firing alert')).toBeVisible();
  await page.getByRole('button', { name: /End the silence/ }).click();
  await expect(page.getByText('expired')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Silence again' })).toBeVisible();
});

test('alerts: what is pending, and what reached nobody', async ({ page, program }) => {
  await page.goto(`${program.url}/alerts?view=pending`);
  await expect(page.getByText('Checkout takes longer than it should')).toBeVisible();
  await page.goto(`${program.url}/alerts?view=notifications`);
  await expect(page.getByRole('region', { name: 'Reached nobody' })).toContainText('CertificateExpires');
  await expect(page.getByRole('region', { name: 'Recent notifications' })).toContainText('chat');
});

test('an incident: acknowledge, note, resolve', async ({ page, program }) => {
  await page.goto(`${program.url}/incidents`);
  await page.getByRole('link', { name: /certificate of www/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(page.getByRole('region', { name: 'Timeline' })).toContainText('Opened');
  await page.getByLabel('Your name').fill('Grace');
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(page.getByRole('region', { name: 'Timeline' })).toContainText('Acknowledged by Grace');
  await expect(page.getByRole('button', { name: 'Acknowledge' })).toBeHidden();
  await page.getByLabel('Note').fill('Renewing it now');
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.getByRole('region', { name: 'Timeline' })).toContainText('Renewing it now');
  await expect(page.getByLabel('Note')).toHaveValue('');
  await page.getByRole('button', { name: 'Resolve' }).click();
  await expect(page.getByRole('region', { name: 'Where it stands' })).toContainText('resolved');
  await expect(page.getByRole('region', { name: 'Timeline' })).toContainText('Resolved by Grace');
  await page.goto(`${program.url}/incidents/99999`);
  await expect(page.getByText('There is no incident 99999')).toBeVisible();
});

test('targets: the dead one says why, the filter leaves it alone', async ({ page, program }) => {
  await page.goto(`${program.url}/targets`);
  const shop = page.getByRole('region', { name: 'shop' });
  await expect(shop).toContainText('0 of 1 up');
  await expect(shop).toContainText(/refused/i);
  await expect(page.getByRole('region', { name: 'binnacle' })).toContainText('up');
  await page.getByText(/^Down 1$/).click();
  await expect(page.getByRole('region', { name: 'binnacle' })).toBeHidden();
  await page.getByLabel('Filter targets').fill('nothing-like-it');
  await expect(page.getByText('No target fits the filter')).toBeVisible();
});

test('rules: states, and the query leads to Explore', async ({ page, program }) => {
  await page.goto(`${program.url}/rules`);
  const group = page.getByRole('region', { name: 'demo' });
  await expect(group.getByText('firing')).toHaveCount(2);
  await expect(group.getByText('pending')).toHaveCount(1);
  await group.getByRole('link', { name: 'vector(93.5)' }).click();
  await expect(page).toHaveURL(/\/explore\?g0\.expr=vector/);
  await expect(page.getByRole('button', { name: /\{\}.*93\.5/ })).toBeVisible();
});

test('rules: a backtest says what a group would have said', async ({ page, program }) => {
  await page.goto(`${program.url}/rules`);
  await page.getByRole('button', { name: 'Backtest demo' }).click();
  const panel = page.getByRole('group', { name: 'Backtest of demo' });
  await panel.getByText('1d', { exact: true }).click();
  await panel.getByText('Compare with what really happened').click();
  await panel.getByLabel('Incidents, as YAML').fill('incidents: [{name: long ago, start: 60, end: 120}]');
  await panel.getByRole('button', { name: 'Run backtest' }).click();
  await expect(panel.getByRole('img', { name: /Alerts that would have fired/ })).toBeVisible();
  await expect(panel.getByText(/0 detected, 0 missed/)).toBeVisible();
  await panel.getByLabel('Incidents, as YAML').fill('incidents: 1');
  await panel.getByRole('button', { name: 'Run backtest' }).click();
  await expect(panel.getByText(/incidents.yml:1:12/)).toBeVisible();
});

test('an address that is nowhere says so', async ({ page, program }) => {
  await page.goto(`${program.url}/nowhere`);
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible();
});
