// Explore: typing with completion, graph, table, errors, addresses, too much of it all.
import { expect, test } from './fixtures';

test('completes a metric, runs it, remembers it', async ({ page, program }) => {
  await page.goto(`${program.url}/explore`);
  await expect(page.getByText('Ask something')).toBeVisible();
  const editor = page.getByRole('textbox', { name: 'PromQL query' });
  await editor.click();
  await page.keyboard.type('node_load1', { delay: 30 });
  const option = page.getByRole('option', { name: /^node_load1/ }).first();
  await expect(option).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/g0\.expr=node_load1/);
  await expect(page.getByRole('button', { name: /node_load1\{/ })).toBeVisible();
  await page.getByText('Table', { exact: true }).click();
  await expect(page.getByRole('cell', { name: /node_load1\{/ })).toBeVisible();
  await page.getByRole('button', { name: 'Recent' }).click();
  await expect(page.getByRole('button', { name: 'node_load1', exact: true })).toBeVisible();
});

test('shows where a query is wrong', async ({ page, program }) => {
  await page.goto(`${program.url}/explore?g0.expr=${encodeURIComponent('sum(up')}`);
  const alert = page.getByRole('alert');
  await expect(alert).toContainText('Not PromQL');
  await expect(alert.locator('pre')).toHaveText(/sum\(up\n {6}\^/);
});

test('takes addresses of Prometheus', async ({ page, program }) => {
  await page.goto(`${program.url}/graph?g0.expr=up&g0.tab=1&g0.range_input=2h`);
  await expect(page).toHaveURL(/\/explore\?g0\.expr=up/);
  await expect(page.getByRole('cell', { name: /up\{.*job="shop"/ })).toBeVisible();
  await page.getByText('Graph', { exact: true }).click();
  await expect(page.getByLabel('Range', { exact: true }).getByRole('textbox')).toHaveValue('2h');
});

test('a line is switched off and on by keyboard', async ({ page, program }) => {
  await page.goto(`${program.url}/explore?g0.expr=up`);
  const line = page.getByRole('button', { name: /up\{.*job="shop"/ });
  await line.focus();
  await page.keyboard.press('Space');
  await expect(line).toHaveAttribute('aria-pressed', 'false');
  await page.getByRole('button', { name: 'Show all' }).click();
  await expect(line).toHaveAttribute('aria-pressed', 'true');
});

test('draws a hundred of too many series and says so', async ({ page, program }) => {
  await page.goto(`${program.url}/explore?g0.expr=${encodeURIComponent('{__name__=~"node_.+"}')}`);
  await expect(page.getByText(/Showing 100 of [\d,]+ series/)).toBeVisible();
  await expect(page.getByRole('list', { name: 'Series' }).getByRole('button')).toHaveCount(100);
});

test('shows warnings and infos of the engine', async ({ page, program }) => {
  await page.goto(`${program.url}/explore?g0.tab=table&g0.expr=${encodeURIComponent('rate(node_load1[1m])')}`);
  await expect(page.getByText(/metric might not be a counter/)).toBeVisible();
});

test('says that nothing matches', async ({ page, program }) => {
  await page.goto(`${program.url}/explore?g0.expr=no_such_metric`);
  await expect(page.getByText('No series', { exact: true })).toBeVisible();
});
