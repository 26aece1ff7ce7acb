import { duration, gateOpened } from '../wording.js';
import type { GateWait } from './host-timeline.js';

/** `open after 3.1 s (leader etcd-2)`; `did not open within 60 s: etcd-1 has no leader`. */
export function gateWords({ fromMs, toMs, isOpen, note, reasons }: GateWait): string {
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; then ')}`;
  const words = isOpen ? gateOpened(toMs - fromMs, note) : `did not open within ${duration(toMs - fromMs)}`;
  return `${words}${why}`;
}
