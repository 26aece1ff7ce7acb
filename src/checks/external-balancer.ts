import { externalAnswers } from '../gates/external-answers.js';
import { askGate } from './ask-gate.js';
import type { Check } from './check.js';

/** This very etcd answers through the balancer that others run: from every control plane, or from the members where there is none. */
export const checkExternalBalancer: Check = async (context) => {
  const { external, controlPlanes, members } = context.cluster;
  if (external === undefined) return [];
  const hosts = (controlPlanes.length === 0 ? members : controlPlanes).map(({ host }) => host);
  const gate = externalAnswers('vip-answers-control-planes', external, context.cluster);
  const subject = external.ip ?? external.name ?? '';
  return askGate({ gate, check: 'external-load-balancer', subject, hosts, ok: '' }, context);
};
