// Makes dist/ what the program carries: every file as FILE.gz, the originals removed. Fails when what
// the start page needs is larger than its budget.
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = new URL('../dist/', import.meta.url).pathname;
const MANIFEST = 'assets/manifest.json';
/** Compressed bytes that the start page may need before it shows something. */
const FIRST_LOAD_BYTES_MAX = 260 * 1024;

/** Lists the files below `folder`, relative to dist/. */
function filesBelow(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [relative(DIST, path)];
  });
}

/** Names what the browser loads for `/`: the page, its scripts and all that they import at once. */
function firstLoad(manifest) {
  const names = new Set(['index.html', 'color-scheme.js', 'favicon.svg']);
  const visit = (key) => {
    const chunk = manifest[key];
    if (names.has(chunk.file)) return;
    names.add(chunk.file);
    for (const style of chunk.css ?? []) names.add(style);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  visit('index.html');
  // The start page is a chunk of its own, so that other pages need not load it.
  visit('src/pages/overview/OverviewPage.tsx');
  return names;
}

const manifest = JSON.parse(readFileSync(join(DIST, MANIFEST), 'utf8'));
rmSync(join(DIST, MANIFEST));
const first = firstLoad(manifest);
let firstBytes = 0;
let allBytes = 0;
for (const name of filesBelow(DIST)) {
  const path = join(DIST, name);
  const packed = gzipSync(readFileSync(path), { level: 9 });
  writeFileSync(`${path}.gz`, packed);
  rmSync(path);
  allBytes += packed.length;
  if (first.has(name)) firstBytes += packed.length;
}
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
console.log(`first load ${kib(firstBytes)} of at most ${kib(FIRST_LOAD_BYTES_MAX)}, all ${kib(allBytes)} compressed`);
if (firstBytes > FIRST_LOAD_BYTES_MAX) {
  console.error('the start page has outgrown its budget: load later what it does not show at once');
  process.exit(1);
}
