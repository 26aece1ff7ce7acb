import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { planCluster } from '../../src/engine/plan-cluster.js';
import { createLook } from '../../src/facts/batched-probe.js';
import { pathExists } from '../../src/facts/path-exists.js';
import { changed, UNCHANGED, type Resource } from '../../src/model/change.js';
import { fakeHosts, fakeWorld, inventoryOrder, playOf } from '../support/fake-world.js';
import { createLocalTransport, type LocalTransport } from '../support/local-transport.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let directory: string;
let transport: LocalTransport;

beforeEach(async () => {
  directory = temporaryDirectory('plan');
  transport = createLocalTransport('here');
});

function wantPath(path: string): Resource {
  return {
    address: `path:${path}`,
    paths: [],
    async plan(probe) {
      if (await probe.ask(pathExists, path)) return UNCHANGED;
      return changed({ summary: 'make it', diff: [], actions: [], effect: 'change', disruptive: false });
    },
  };
}

/** @param minutesOff of this machine, for the plan's own idea of the time */
async function planHere(path: string, minutesOff: number) {
  const world = fakeWorld(fakeHosts(['here']), {
    newLook: () =>
      createLook({ send: (_, script) => transport.run({ summary: 'look', script }), token: () => 'T0ken' }),
    now: () => Date.now() + minutesOff * 60_000,
  });
  const request = {
    plays: [playOf(['here'], [wantPath(path)]), playOf(['here'], [wantPath('/')])],
    orders: new Map([['inventory', inventoryOrder]]),
    ...{ tool: '', inventoryDigest: '', playbook: '', playbookDigest: '', limit: undefined, without: () => '' },
    members: ['here', 'elsewhere'],
  };
  return { planned: planCluster(request, world), events: world.events };
}

describe('a plan', () => {
  test('asks clocks and locks in the same exec as everything else, and only of hosts that it asks anyway', async () => {
    const { planned } = await planHere(join(directory, 'none'), 0);
    expect((await planned).plan.plays[0]?.batches[0]?.hosts[0]?.steps).toHaveLength(1);
    expect(transport.commands).toHaveLength(1);
    expect(transport.commands[0]).toMatchObject({
      script: expect.stringMatching(/date \+%s[\s\S]*run\/provision\/lock/) as unknown,
    });
  });

  test('that changes something is refused where a clock is wrong; an empty one says so', async () => {
    const { planned } = await planHere(join(directory, 'none'), 10);
    await expect(planned).rejects.toMatchObject({ failures: [{ host: 'here', error: { code: 'clock-off' } }] });
    const empty = await planHere(directory, 10);
    await empty.planned;
    expect(empty.events).toMatchObject([
      { type: 'notice', host: 'here', message: expect.stringContaining("behind this machine's") as unknown },
    ]);
    expect(transport.commands).toHaveLength(2);
  });
});
