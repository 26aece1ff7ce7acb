import { expect, test } from '@jest/globals';
import { downloadSnapshot } from '../../../src/day-two/save-snapshot.js';
import { outputOf, type Output, type Transport } from '../../../src/model/remote.js';
import { SNAPSHOT_STATUS } from '../../../src/shell/snapshot.js';
import { healthy } from '../../support/etcd-answers.js';
import { sampleMember } from '../../support/sample-cluster.js';

/** What comes of a snapshot whose command ends so. */
async function saved(output: Output): Promise<unknown> {
  const transport: Transport = {
    host: 'etcd-1',
    run: () => Promise.reject(new Error('nothing else runs')),
    download: () => Promise.resolve(output),
    close: () => Promise.resolve(),
  };
  const intake = { maxBytes: 1, firstByteMs: 1, silenceMs: 1, take: () => Promise.resolve() };
  return downloadSnapshot({ member: sampleMember(1), status: healthy(1), confirmed: 40 }, transport, intake);
}

test('a snapshot that was sent is what its tool says of it', async () => {
  const status = '{"hash":1,"revision":41,"totalKey":7,"totalSize":20480}';
  expect(await saved(outputOf(0, '', `${SNAPSHOT_STATUS}${status}\n`))).toMatchObject({ revision: 41 });
});

test('one that was not is reported with the last line of why', async () => {
  await expect(saved(outputOf(1, '', 'first\nno space left\n'))).rejects.toMatchObject({
    code: 'command-failed',
    message: 'etcd-1: no snapshot was saved (status 1): no space left',
  });
});
