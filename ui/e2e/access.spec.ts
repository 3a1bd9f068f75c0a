// Everybody can use it: axe finds nothing serious in either scheme, a phone needs no sideways scrolling, the
// keyboard reaches everything.
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';
import type { Program } from './program';

const ADDRESSES: readonly (readonly [name: string, path: string, ready: string])[] = [
  ['overview', '/', '[aria-label="Filesystems"] li'],
  ['explore', '/explore', '.examples'],
  ['graph', '/explore?g0.expr=up', '.legend button'],
  ['table', '/explore?g0.expr=up&g0.tab=table', 'td'],
  ['query error', '/explore?g0.expr=sum(', '[role=alert]'],
  ['alerts', '/alerts', '.alert'],
  ['pending', '/alerts?view=pending', '.alert'],
  ['silences', '/alerts?view=silences', '.panel'],
  ['new silence', '/alerts?new=%7Ba%3D%22b%22%7D', '[role=dialog] form'],
  ['preview of a silence', '/alerts?new=%7Balertname%3D~%22.%2B%22%7D', '.preview-list > li'],
  ['new recurring silence', '/alerts?view=silences&recurring=new', '[role=dialog] form'],
  ['notifications', '/alerts?view=notifications', '.alert'],
  ['test of a receiver', '/alerts?view=notifications&test=any', '[role=dialog] form'],
  ['history', '/alerts?view=history', 'td'],
  ['history from and to', '/alerts?view=history&span=custom', 'td'],
  ['explained alert', '/alerts/FIRING', '.strip'],
  ['unknown alert', '/alerts/0123456789abcdef', '.empty'],
  ['incidents', '/incidents', 'td'],
  ['incident', '/incidents/1', '.timeline li'],
  ['targets', '/targets', 'td'],
  ['rules', '/rules', 'td'],
  ['packs', '/rules?state=packs', 'td'],
];

/** `FIRING` stands for the fingerprint of an alert that fires. */
async function open(page: Page, program: Program, path: string, ready: string): Promise<void> {
  const place = path.replace('FIRING', await program.fingerprint('DiskAlmostFull'));
  await page.goto(program.url + place);
  await page.locator(ready).first().waitFor();
}

async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page }).analyze();
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`));
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`axe finds nothing serious, ${colorScheme}`, async ({ page, program }) => {
    test.setTimeout(180_000);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [name, path, ready] of ADDRESSES) {
      await open(page, program, path, ready);
      await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', colorScheme);
      expect(await violations(page), name).toEqual([]);
    }
  });
}

test('a phone shows every page without sideways scrolling', async ({ page, program }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const [name, path, ready] of ADDRESSES) {
    await open(page, program, path, ready);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, name).toBeLessThanOrEqual(390);
    for (const link of await page.getByRole('navigation', { name: 'Main' }).getByRole('link').all()) {
      const box = await link.boundingBox();
      expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 999) <= 391, name).toBe(true);
      expect(box?.height ?? 0, name).toBeGreaterThanOrEqual(40);
    }
  }
});

test('the keyboard alone acknowledges an incident', async ({ page, program }) => {
  await page.goto(program.url);
  await page.getByRole('region', { name: 'Open incidents' }).getByRole('link').first().waitFor();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#main')).toBeFocused();
  await tabTo(page, /The disk of db-1/, '/incidents/');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
  expect(outline).toBe('solid');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await page.getByRole('button', { name: 'Acknowledge' }).waitFor();
  await tabTo(page, /^Acknowledge$/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('region', { name: 'Where it stands' })).toContainText('acknowledged');
});

/** Presses Tab until what has the focus has this text and, for a link, leads there. */
async function tabTo(page: Page, text: RegExp, href = ''): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      return { text: element?.textContent?.trim() ?? '', href: element?.getAttribute('href') ?? '' };
    });
    if (text.test(focused.text) && focused.href.startsWith(href)) return;
  }
  throw new Error(`Tab does not reach ${text}`);
}
