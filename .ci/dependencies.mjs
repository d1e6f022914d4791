import { existsSync, readFileSync } from 'node:fs';

/** Licences that ask for no more than to be named. */
const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'ISC',
  'MIT',
];
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const fetched = Object.entries(lock.packages).filter(([path, entry]) => path !== '' && !entry.link);
const production = fetched.filter(([, entry]) => !entry.dev);
const complaints = [];

for (const [path, entry] of fetched) {
  if (!/^sha512-/.test(entry.integrity ?? '')) complaints.push(`${path} has no integrity in the lock file`);
  if (entry.resolved !== undefined && !entry.resolved.startsWith('https://')) {
    complaints.push(`${path} is not fetched over https`);
  }
}

let installed = 0;
for (const [path, entry] of production) {
  const file = `${path}/package.json`;
  // What is for another machine is not installed here; the lock file knows enough of it.
  const manifest = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  if (manifest !== undefined) installed += 1;
  else if (!entry.optional) complaints.push(`${path} is not installed: run npm ci`);
  const scripts = INSTALL_SCRIPTS.filter((name) => manifest?.scripts?.[name] !== undefined);
  if (entry.hasInstallScript || scripts.length > 0 || existsSync(`${path}/binding.gyp`)) {
    complaints.push(`${path} wants to run a script when it is installed`);
  }
  const licence = manifest?.license ?? entry.license;
  if (!isAllowed(licence)) complaints.push(`${path} has the licence ${JSON.stringify(licence)}`);
}

/** @param licence an SPDX expression: of several that are offered one must be allowed */
function isAllowed(licence) {
  if (typeof licence !== 'string') return false;
  return licence
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((each) => ALLOWED.includes(each.trim()));
}

console.log(
  `${fetched.length} packages in the lock file, ${production.length} for production, ${installed} of them installed`,
);
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
