import { AUTHORITY } from './error-codes/authority.js';
import { CONNECTION } from './error-codes/connection.js';
import { ETCD } from './error-codes/etcd.js';
import type { Explanation } from './error-codes/explanation.js';
import { HOST } from './error-codes/host.js';
import { INPUT } from './error-codes/input.js';
import { LAB } from './error-codes/lab.js';
import { RUN } from './error-codes/run.js';
import { SNAPSHOT } from './error-codes/snapshot.js';

/** Every code that an error of this program may have, with its explanation. A code that is not here does not compile. */
export const ERROR_CODES = { ...INPUT, ...CONNECTION, ...RUN, ...HOST, ...ETCD, ...AUTHORITY, ...SNAPSHOT, ...LAB };

/** The `code` of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** What each code means. */
export const EXPLANATIONS: Readonly<Record<ErrorCode, Explanation>> = ERROR_CODES;

/** The codes by what they are about, in the order in which a run meets them. */
export const ERROR_AREAS: readonly { readonly title: string; readonly codes: Readonly<Record<string, Explanation>> }[] =
  [
    { title: 'What was given', codes: INPUT },
    { title: 'The way to a host', codes: CONNECTION },
    { title: 'The run', codes: RUN },
    { title: 'What is on a host', codes: HOST },
    { title: 'The etcd cluster', codes: ETCD },
    { title: 'Certificates', codes: AUTHORITY },
    { title: 'Snapshots', codes: SNAPSHOT },
    { title: 'The lab', codes: LAB },
  ];
