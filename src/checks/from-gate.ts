import type { GateAnswer } from '../model/gate.js';
import type { CheckItem } from './check.js';

/** An item from what a gate answered. @param ok the evidence of an open gate that has no note */
export function fromGate(
  item: Pick<CheckItem, 'check' | 'host' | 'subject'>,
  answer: GateAnswer,
  ok: string,
): CheckItem {
  if (answer.open) return { ...item, verdict: 'ok', evidence: answer.note ?? ok };
  return { ...item, verdict: 'fail', evidence: answer.reason, next: answer.next };
}
