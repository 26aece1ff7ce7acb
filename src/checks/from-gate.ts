import type { GateAnswer } from '../model/gate.js';
import type { CheckItem } from './check.js';

/**
 * An item from what a gate answered.
 * @param words `ok`: the evidence of an open gate that has no note; `next`: what to type while it is shut
 */
export function fromGate(
  item: Pick<CheckItem, 'check' | 'host' | 'subject'>,
  answer: GateAnswer,
  words: { readonly ok: string; readonly next: string },
): CheckItem {
  if (answer.open) return { ...item, verdict: 'ok', evidence: answer.note ?? words.ok };
  return { ...item, verdict: 'fail', evidence: answer.reason, next: words.next };
}
