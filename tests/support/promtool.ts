import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where tests/prepare.mjs puts what it takes of Debian's package: no daemon is installed, and none is started. */
const KEPT = resolve('node_modules/.cache/prometheus/usr/bin');

/** A program of Prometheus: the machine's own, or the one that was fetched for tests. @throws Error where there is none */
export function prometheusProgram(name: 'promtool' | 'prometheus'): string {
  const found = [`/usr/bin/${name}`, `${KEPT}/${name}`].find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`${name} is missing: node tests/prepare.mjs fetches it (Debian package prometheus)`);
  return found;
}

/** Runs Debian's real promtool. */
export function promtool(...args: readonly string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(prometheusProgram('promtool'), args, { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
}
