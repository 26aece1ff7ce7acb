import { readFileSync } from 'node:fs';
import { Secret } from '../../src/model/secret.js';
import type { RoleTools } from '../../src/roles/role.js';

/** The password that roles put into keepalived's configuration; planted, so that tests can look where it is shown. */
export const PLANTED_AUTH_PASS = 'p4ssw0rd';

/** What roles are made with: the shipped templates, and a PKI store that is empty but for that password. */
export const ROLE_TOOLS: RoleTools = {
  template: (name) => readFileSync(new URL(`../../playbooks/templates/${name}`, import.meta.url), 'utf8'),
  readFile: (path) => readFileSync(path, 'utf8'),
  readBytes: (path) => readFileSync(path),
  pki: {
    directory: '/srv/provision/pki',
    authority: { certificate: () => undefined, trustBundle: () => undefined },
    keepalivedAuthPass: { value: () => new Secret(PLANTED_AUTH_PASS), isKept: () => false },
  },
  now: new Date('2026-11-21T00:00:00Z'),
};
