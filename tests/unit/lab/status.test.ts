import { describe, expect, test } from '@jest/globals';
import { renderStatus } from '../../../src/lab/status.js';

describe('renderStatus', () => {
  test('without labs it says what to type', () => {
    expect(renderStatus([])).toBe('no lab on this machine\n  → provision lab up\n');
  });

  test('one line for a lab, one for each of its hosts', () => {
    const host = { name: 'etcd-1', role: 'etcd', address: '203.0.113.11', state: 'off', processes: 0 } as const;
    const text = renderStatus([
      {
        name: 'dev',
        state: 'up',
        directory: '/tmp/lab-dev',
        release: 'trixie',
        network: '203.0.113.0/24',
        virtualIp: '203.0.113.100',
        hosts: [host, { ...host, name: 'etcd-2', state: 'running', processes: 7 }],
      },
    ]);
    expect(text.split('\n')).toEqual([
      'lab dev: up, trixie, 203.0.113.0/24, virtual IP 203.0.113.100, /tmp/lab-dev',
      expect.stringMatching(/^ {2}etcd-1 .* off \(0 processes\)$/),
      expect.stringMatching(/^ {2}etcd-2 .* running \(7 processes\)$/),
      '',
    ]);
  });
});
