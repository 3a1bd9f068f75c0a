// The page stands still while it refreshes, survives the server, and starts with nothing configured.
import { expect, test } from '@playwright/test';
import { Program } from './program';

/** What a page may shift altogether; 0.1 is where people begin to notice. */
const SHIFT_MAX = 0.02;

test('overview does not jump while it refreshes', async ({ page }) => {
  const program = await Program.start('delivered');
  try {
    await program.untilIncident(0);
    await page.addInitScript(() => {
      const kept = window as unknown as { shifts: string[]; shift: number };
      kept.shifts = [];
      kept.shift = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
          const shift = entry as unknown as { value: number; sources: { node: Node | null }[] };
          kept.shift += shift.value;
          const names = shift.sources.map(({ node }) => (node instanceof Element ? node.outerHTML.slice(0, 90) : '?'));
          kept.shifts.push(`${shift.value.toFixed(4)} ${names.join(' | ')}`);
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.goto(program.url);
    await page.getByRole('article', { name: 'Series', exact: true }).getByText(/\d/).first().waitFor();
    const shift = () => page.evaluate(() => (window as unknown as { shift: number }).shift);
    const shifts = () => page.evaluate(() => (window as unknown as { shifts: string[] }).shifts.join('\n'));
    const loaded = await shift();
    for (let refreshes = 0; refreshes < 3; refreshes += 1) {
      await page.waitForResponse((response) => response.url().includes('/api/v1/targets'));
    }
    expect((await shift()) - loaded, await shifts()).toBeLessThanOrEqual(0.001);
    expect(loaded, await shifts()).toBeLessThanOrEqual(SHIFT_MAX);
  } finally {
    await program.stop();
  }
});

test('says that the server is gone, and recovers by itself', async ({ page }) => {
  const program = await Program.start();
  try {
    await program.untilIncident();
    await page.goto(`${program.url}/incidents`);
    await expect(page.getByRole('link', { name: /disk of db-1/ })).toBeVisible();
    await program.kill();
    await expect(page.getByText('Binnacle does not answer')).toBeVisible();
    await expect(page.getByRole('link', { name: /disk of db-1/ })).toBeVisible();
    await program.resume();
    await expect(page.getByText('Binnacle does not answer')).toBeHidden();
    await expect(page.getByRole('link', { name: /disk of db-1/ })).toBeVisible();
    // An explanation stays, and a form says that its preview is not known.
    await page.goto(`${program.url}/alerts/${await program.fingerprint('DiskAlmostFull')}`);
    await expect(page.getByText(/^chat was told at/)).toBeVisible();
    await program.kill();
    await expect(page.getByText('Binnacle does not answer')).toBeVisible();
    await expect(page.getByText(/^chat was told at/)).toBeVisible();
    await program.resume();
    await expect(page.getByText('Binnacle does not answer')).toBeHidden();
    await page.getByRole('link', { name: 'Silence it' }).click();
    const dialog = page.getByRole('dialog', { name: 'New silence' });
    await expect(dialog).toContainText('It mutes 1 alert now');
    await program.kill();
    await dialog.getByLabel('Value of matcher 1').fill('Disk');
    await expect(dialog).toContainText('Whom it mutes is not known: Binnacle does not answer');
    await program.resume();
    await expect(dialog).toContainText('It mutes nobody');
  } finally {
    await program.stop();
  }
});

test('starts with this host alone', async ({ page }) => {
  const program = await Program.start('bare');
  try {
    await page.goto(program.url);
    await expect(page.getByRole('article', { name: 'CPU', exact: true })).toContainText('%', { timeout: 30_000 });
    await page.goto(`${program.url}/rules`);
    await expect(page.getByRole('cell').first()).toBeVisible();
    await page.goto(`${program.url}/alerts?view=silences`);
    await expect(page.getByText('Nothing is silenced')).toBeVisible();
  } finally {
    await program.stop();
  }
});
