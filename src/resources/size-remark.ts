import { quorum } from '../facts/etcd-phase.js';
import { counted } from '../model/counted.js';

/** What a person should know of the size that the inventory wants. */
export function sizeRemark(size: number): string {
  if (size === 1) return 'etcd has one member: when its host is down, so is etcd, and with it every API server';
  const [needed, lost] = [quorum(size), size - quorum(size)];
  const even = size % 2 === 0 ? `, no more than ${size - 1} would` : '';
  return `etcd has ${counted(size, 'member')}: ${needed} must run, so it survives the loss of ${lost}${even}`;
}
