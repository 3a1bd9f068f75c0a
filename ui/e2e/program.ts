// Starts the real program with a small set-up of its own, and stops it.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createReceiver, type Server } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const READY_MS_MAX = 20_000;

/**
 * Two alerts fire at once, one is pending, one target is dead, one of two receivers cannot be delivered to. After half a
 * minute that fires too.
 */
const files = (chat: number, pager: number): Readonly<Record<string, string>> => ({
  'prometheus.yml': `
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: ["127.0.0.1:1"]
        labels: {team: checkout}
`,
  'rules.yml': `
groups:
  - name: demo
    rules:
      - alert: DiskAlmostFull
        expr: vector(93.5)
        labels: {severity: critical, instance: "db-1:9100"}
        annotations:
          summary: The disk of db-1 is 93.5 % full
          description: At the present rate it is full in about three hours.
      - alert: CertificateExpires
        expr: vector(6)
        labels: {severity: warning, instance: "www:443"}
        annotations: {summary: The certificate of www expires in 6 days}
      - alert: SlowCheckout
        expr: vector(1)
        for: 2h
        labels: {severity: high}
        annotations: {summary: Checkout takes longer than it should}
      - record: job:up:sum
        expr: sum by (job) (up)
`,
  'alertmanager.yml': `
route:
  receiver: chat
  group_by: [alertname]
  group_wait: 1s
  routes:
    - matchers: [alertname="CertificateExpires"]
      receiver: pager
receivers:
  - name: chat
    webhook_configs: [{url: "http://127.0.0.1:${chat}/hook"}]
  - name: pager
    pagerduty_configs: [{routing_key: none, url: "http://127.0.0.1:${pager}/events"}]
`,
});

/** Takes every message. */
async function receive(): Promise<{ server: Server; port: number }> {
  const server = createReceiver((request, answer) => {
    request.resume();
    answer.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { server, port: address.port };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

export class Program {
  private child: ChildProcess | null = null;
  private log = '';

  private constructor(
    private readonly folder: string,
    private readonly port: number,
    private readonly paths: readonly string[],
    private readonly chat: Server,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** With the set-up above; or `delivered`: every receiver hears, so that nothing new happens; or `bare`: only this host. */
  static async start(kind: 'configured' | 'delivered' | 'bare' = 'configured'): Promise<Program> {
    const folder = mkdtempSync(join(tmpdir(), 'binnacle-page-'));
    const config = join(folder, 'config');
    mkdirSync(config);
    const chat = await receive();
    for (const [name, text] of Object.entries(files(chat.port, kind === 'delivered' ? chat.port : 1))) writeFileSync(join(config, name), text);
    const program = new Program(folder, await freePort(), kind === 'bare' ? [] : [config], chat.server);
    await program.resume();
    return program;
  }

  /** Starts it (again) on the same port and data. */
  async resume(): Promise<void> {
    const binary = process.env['BINNACLE_PROGRAM'];
    if (binary === undefined) throw new Error('BINNACLE_PROGRAM names no program; `make test` sets it');
    const flags = ['up', '--listen', `127.0.0.1:${this.port}`, '--data', join(this.folder, 'data'), ...this.paths];
    const child = spawn(binary, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (part: Buffer): void => {
      this.log = (this.log + part.toString()).slice(-8_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.child = child;
    const end = Date.now() + READY_MS_MAX;
    while (Date.now() < end) {
      if (child.exitCode !== null) throw new Error(`the program ended:\n${this.log}`);
      const answer = await fetch(`${this.url}/-/ready`).catch(() => null);
      if (answer?.ok === true) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the program is not ready:\n${this.log}`);
  }

  /** Kills it, as a crash would. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    this.chat.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a command of the program against this server. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.env['BINNACLE_PROGRAM'] ?? '', [...words, '--url', this.url]);
    return stdout;
  }

  /** Sends JSON as another program would. */
  async post(path: string, value: unknown): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(value),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  /** The fingerprint of the alert of this name that fires. */
  async fingerprint(name: string): Promise<string> {
    const answer = await fetch(`${this.url}/api/v2/alerts?filter=${encodeURIComponent(`alertname="${name}"`)}`);
    const [alert] = (await answer.json()) as { fingerprint: string }[];
    if (alert === undefined) throw new Error(`no alert ${name}`);
    return alert.fingerprint;
  }

  /** Waits until an incident is open and so many alerts reached nobody, so that every page has something to show. */
  async untilIncident(undelivered = 1): Promise<string> {
    const end = Date.now() + READY_MS_MAX;
    while (Date.now() < end) {
      const status = (await (await fetch(`${this.url}/api/binnacle/v1/status`)).json()) as { undelivered: number };
      const answer = await fetch(`${this.url}/api/binnacle/v1/incidents`);
      const incidents = (await answer.json()) as { id: string; title: string }[];
      const found = incidents.find(({ title }) => title.includes('db-1'));
      if (found !== undefined && status.undelivered >= undelivered) return found.id;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`no incident opened:\n${this.log}`);
  }
}
