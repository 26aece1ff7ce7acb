import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EXIT } from '../../src/model/errors.js';
import { VERSION } from '../../src/model/version.js';
import { describeOnLab, type Ended, type TestLab } from '../support/lab.js';
import { createImageStore, makeBaseImage, noImages, type ImageStore } from '../support/oci-image.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

// The recipe of deploy/, built by buildah as it is, and a plan that its image makes of a lab's hosts.

const TITLE = 'the image of deploy/Containerfile';

function buildAndPlan(lab: TestLab): void {
  let store: ImageStore;
  let checkout: string;
  let root: string;

  beforeAll(async () => {
    store = createImageStore(temporaryDirectory('image-store'));
    const base = await makeBaseImage(store);
    const cache = join(homedir(), '.npm');
    mkdirSync(cache, { recursive: true });
    const words = ['--isolation', 'chroot', '--network', 'host', '--jobs', '2', '--volume', `${cache}:/root/.npm`];
    // npm's own list of authorities is not the machine's.
    const certificates = ['--env', 'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'];
    const recipe = ['-f', 'deploy/Containerfile', '--build-arg', `NODE=${base}`, '-t', 'provision:test', '.'];
    await store.buildah('build', ...words, ...certificates, ...recipe);
    root = await store.buildah('mount', await store.buildah('from', 'provision:test'));
    checkout = temporaryDirectory('checkout');
    const inventory = readFileSync(lab.files.inventory, 'utf8')
      .replaceAll(lab.files.privateKey, '/fleet/id_ed25519')
      .replaceAll(lab.files.knownHosts, '/fleet/known_hosts');
    writeFileSync(join(checkout, 'inventory.yaml'), inventory);
    copyFileSync(lab.files.privateKey, join(checkout, 'id_ed25519'));
    copyFileSync(lab.files.knownHosts, join(checkout, 'known_hosts'));
    await lab.onControlSide(['sh', '-c', `chown -R 10001:10001 '${checkout}' && chmod 0600 '${checkout}/id_ed25519'`]);
  });
  afterAll(async () => store.remove());

  /** As its user, where the hosts can be reached, with a checkout at its working directory. */
  async function inImage(...command: readonly string[]): Promise<Ended> {
    const enter = `mount --bind '${checkout}' '${root}/fleet' && mount -t proc proc '${root}/proc' && mount --rbind /dev '${root}/dev' && exec chroot --userspec=10001:10001 '${root}' /bin/sh -c 'cd /fleet && exec "$@"' sh "$@"`;
    const apart = ['unshare', '--mount', '--pid', '--fork', '--propagation', 'private', 'sh', '-c', enter, 'sh'];
    return lab.onControlSide([
      'env',
      '-i',
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin',
      'HOME=/home/provision',
      ...apart,
      ...command,
    ]);
  }

  test('plans, and holds the program with what it needs, and nothing of the checkout that it was built from', async () => {
    expect(await inImage('provision', '--version')).toMatchObject({
      status: EXIT.done,
      stdout: `${VERSION}\n`,
      stderr: '',
    });
    const planned = await inImage('provision', 'plan', 'inventory.yaml', '-o', 'first.plan');
    expect(planned.stderr).toBe('');
    expect(planned).toMatchObject({
      status: EXIT.done,
      stdout: expect.stringMatching(/^Plan: \d+ changes on 1 host/m),
    });
    expect((await inImage('provision', 'show', 'first.plan')).stdout).toMatch(/^Plan: \d+ changes on 1 host/m);
    const held = await inImage(
      'sh',
      '-c',
      'ls /opt/provision /opt/provision/src/lab; ls -d /src /opt/provision/node_modules/jest; id -u; git --version; ssh -V',
    );
    expect(held.stdout.split('\n').slice(0, 7)).toEqual([
      '/opt/provision:',
      'dist',
      'node_modules',
      'package.json',
      'playbooks',
      'src',
      '',
    ]);
    expect(held.stdout).toMatch(/^10001\ngit version /m);
    expect(held.stderr).toMatch(/'\/src': No such file[^]*node_modules\/jest': No such file[^]*OpenSSH_/);
  });
}

if (noImages === undefined) describeOnLab(TITLE, 'image', { etcd: 1 }, buildAndPlan);
else {
  console.warn(noImages);
  describe.skip(TITLE, () => {
    test(noImages ?? '', () => undefined);
  });
}
