// How the page is built and tested, and where `npm run dev` finds a server to talk to.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// A running Binnacle, or Prometheus; Alertmanager may be another program then.
const server = process.env['BINNACLE_URL'] ?? 'http://127.0.0.1:9090';
const alertmanager = process.env['ALERTMANAGER_URL'] ?? server;

/** The server refuses changes that come from a page of another address. */
const behind = (target: string) => ({ target, changeOrigin: true, headers: { origin: target } });

export default defineConfig({
  plugins: [react()],
  server: {
    proxy: {
      '/api/v2': behind(alertmanager),
      '/api': behind(server),
    },
  },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The content policy allows images as data:, nothing else; files keep it simple.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    manifest: 'assets/manifest.json',
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}'],
    environment: 'node',
  },
});
