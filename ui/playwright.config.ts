// Tests of the page in a real browser against the real program (BINNACLE_PROGRAM), with the browser that
// CHROMIUM names.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  // Each file starts a program of its own; two cores carry two of them.
  workers: 2,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
});
