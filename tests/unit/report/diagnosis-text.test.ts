import { expect, test } from '@jest/globals';
import { diagnosisSchema, type DiagnosisJson } from '../../../src/diagnosis/diagnosis-schema.js';
import { renderDiagnosis } from '../../../src/report/diagnosis-text.js';

const HEALTHY: DiagnosisJson = {
  ...{ formatVersion: 1, inventory: 'inv.yaml', state: 'healthy', healthy: 3, members: 3, quorum: 2 },
  ...{ causes: [], runs: [] },
};

const STOPPED: DiagnosisJson = {
  ...HEALTHY,
  ...{ state: 'down', healthy: 0 },
  causes: [
    {
      ...{
        cause: 'stopped',
        verdict: 'fail',
        hosts: ['etcd-1', 'etcd-10'],
        summary: 'etcd is stopped',
        next: 'start it',
      },
      evidence: [
        { host: 'etcd-1', text: 'is dead' },
        { host: 'etcd-10', text: 'says \u001b]0;title\u0007' },
        { host: null, text: 'two of three' },
      ],
    },
    { cause: 'slow-disk', verdict: 'warn', hosts: ['etcd-2'], summary: 'slow', next: 'look', evidence: [] },
  ],
  runs: [{ host: 'etcd-1', evidence: 'a run is in progress', next: 'provision unlock inv.yaml' }],
};

test('causes with their evidence and the next command, the state last; what hosts say cannot write to the terminal', () => {
  expect(diagnosisSchema.parse(STOPPED)).toEqual(STOPPED);
  expect(renderDiagnosis(STOPPED, { colour: false })).toBe(
    [
      '! etcd-1: a run is in progress',
      '    → provision unlock inv.yaml',
      '✖ stopped  etcd is stopped',
      '    etcd-1   is dead',
      '    etcd-10  says ␛]0;title␇',
      '             two of three',
      '    → start it',
      '',
      '! slow-disk  slow',
      '    → look',
      '',
      'etcd does not serve: 0 of 3 members healthy, a quorum is 2. First: stopped',
      '',
    ].join('\n'),
  );
});

test('nothing, where nothing is wrong', () => {
  expect(renderDiagnosis(HEALTHY, { colour: false })).toBe(
    'etcd is healthy: 3 of 3 members healthy, a quorum is 2. No cause found. If clients still fail: provision verify inv.yaml\n',
  );
  expect(renderDiagnosis({ ...HEALTHY, state: 'degraded', healthy: 2 }, { colour: true })).toMatch(
    /\u001b\[33metcd serves/,
  );
});
