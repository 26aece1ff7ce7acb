import type { Resource } from '../model/change.js';
import type { Member } from '../model/cluster.js';
import {
  finishScript,
  startApiserverScript,
  startMemberScript,
  stopApiserverScript,
  unstartMemberScript,
  unstopApiserverScript,
} from '../shell/restore-services.js';
import { command, stepResource, type Step } from './restore-step.js';

/** Where the way back ends. */
export const LAST_WAY_BACK =
  'up to here nothing is lost: `snapshot restore INVENTORY --take-back` puts everything back';

/** API servers stop before the data that they use. */
export function stopApiserverStep(id: string, manifest: string): Step {
  const summary = `move ${manifest} aside, and wait until kube-apiserver has ended`;
  return {
    stage: 'apiserver-stopped',
    summary,
    details: ['nobody can use the Kubernetes API from here until it is started again; pods run on'],
    command: command(summary, stopApiserverScript(id, manifest)),
    undo: command(`put ${manifest} back`, unstopApiserverScript(id, manifest)),
    effect: 'stop',
    disruptive: true,
  };
}

/** A member is started. */
export function startStep(id: string, { unit }: Member, stage: 'started' | 'back-started'): Step {
  const summary = `start ${unit}`;
  return {
    stage,
    summary,
    details: stage === 'started' ? [LAST_WAY_BACK] : [],
    command: command(summary, startMemberScript(id, unit, stage)),
    undo: command(`stop ${unit}`, unstartMemberScript(id, unit, stage)),
    effect: 'start',
    disruptive: false,
  };
}

/** An API server is started, by its manifest. */
export function startApiserverStep(id: string, manifest: string, stage: 'apiserver-started' | 'back-apiserver'): Step {
  const summary = `put ${manifest} back`;
  return {
    stage,
    summary,
    details:
      stage === 'apiserver-started'
        ? ['from here on it can NOT be taken back: what is written now is on the restored data']
        : [],
    command: command(summary, startApiserverScript(id, manifest, stage)),
    undo: { lasting: 'the manifest stays in place' },
    effect: 'start',
    disruptive: false,
  };
}

/** The end on a host. */
export function doneResource(id: string): Resource {
  const summary = 'note that it is done';
  return stepResource(id, {
    ...{ stage: 'done', summary, details: [], undo: 'nothing', effect: 'create', disruptive: false },
    command: command(summary, finishScript(id)),
  });
}
