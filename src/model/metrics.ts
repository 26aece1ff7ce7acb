import type { Secret } from './secret.js';

/** Where a program shows its metrics, over HTTP. */
export interface MetricsPlace {
  readonly address: string;
  readonly port: number;
}

/** HAProxy's page of statistics, beside its port. */
export interface StatsPage {
  readonly address: string;
  /** Absent: whoever reaches it sees it. */
  readonly login: { readonly user: string; readonly password: Secret } | undefined;
}
