// One program for each worker, and a page that fails its test when the page itself reports an error.
import { test as base, expect } from '@playwright/test';
import { Program } from './program';

interface WorkerFixtures {
  /** Files that change what others look at name themselves here, and get a program of their own. */
  readonly owner: string;
  /** Fires, has an incident, a dead target. */
  readonly program: Program;
}

interface TestFixtures {
  readonly noErrors: void;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  owner: ['everybody', { scope: 'worker', option: true }],
  program: [
    // Naming the owner makes the program one of its own.
    async ({ owner: _owner }, use) => {
      const program = await Program.start();
      await program.untilIncident();
      await use(program);
      await program.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  noErrors: [
    async ({ page }, use) => {
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        // Refused requests are part of what is tested; errors of scripts and of the content policy are not.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) errors.push(message.text());
      });
      await use();
      expect(errors).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };
