import { describe, expect, test } from '@jest/globals';
import { configFileOf, describePlace, settingsOf } from '../../../src/adopt/etcd-settings.js';
import { ETCD, etcdOnHost, settingPlaces, type EtcdProcess } from '../../../src/facts/etcd-process.js';
import { fixture } from '../../support/fixture.js';

function processOf(name: string): EtcdProcess {
  const [process] = etcdOnHost.parse(fixture(`facts/etcd-process-${name}.txt`), [ETCD]).get(ETCD)?.processes ?? [];
  if (process === undefined) throw new Error(`no process in ${name}`);
  return process;
}

/** A process as it would be with other flags and variables. */
function started(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): EtcdProcess {
  return { ...processOf('flags'), argv: ['etcd', ...argv], environment: new Map(Object.entries(environment)) };
}

describe('flags', () => {
  test.each([
    [['--name', 'a'], 'a'],
    [['-name', 'a'], 'a'],
    [['--name=a=b'], 'a=b'],
    [['-name='], ''],
    [['--client-cert-auth', '--name', 'a', '--initial-cluster', '--name-x'], 'a'],
  ])('%j', (argv, name) => {
    expect(settingsOf(started(argv)).get('name')?.value).toBe(name);
  });

  test('a switch is true, whatever follows', () => {
    expect(settingsOf(started(['--auto-tls', '--name', 'a'])).get('auto-tls')?.value).toBe('true');
    expect(settingsOf(started(['--auto-tls'])).get('auto-tls')?.value).toBe('true');
  });

  test('win over the environment', () => {
    const settings = settingsOf(started(['--name=flag'], { ETCD_NAME: 'variable', ETCD_DATA_DIR: '/data' }));
    expect(settings.get('name')?.value).toBe('flag');
    expect(settings.get('data-dir')?.value).toBe('/data');
  });
});

describe('a configuration file', () => {
  const config = { path: '/etc/etcd/etcd.conf.yml', text: fixture('facts/etcd.conf.yml') };

  test('is found by flag or variable, from the working directory', () => {
    expect(configFileOf(processOf('yaml'))).toBe('/etc/etcd/etcd.conf.yml');
    expect(configFileOf({ ...started([], { ETCD_CONFIG_FILE: 'c.yml' }), workingDirectory: '/srv' })).toBe(
      '/srv/c.yml',
    );
    expect(configFileOf(processOf('flags'))).toBeUndefined();
  });

  test('stands alone: flags beside it are not read', () => {
    const settings = settingsOf(started(['--config-file', config.path, '--name', 'flag']), config);
    expect(settings.get('name')?.value).toBe('etcd-3-dev');
    expect(settings.get('peer-key-file')?.value).toBe('/etc/ssl/etcd/private/etcd-3-dev_key.pem');
    expect(settings.get('heartbeat-interval')).toBeUndefined();
  });

  test('is reported by its lines', () => {
    const cert = settingsOf(processOf('yaml'), config).get('cert-file');
    expect(cert && describePlace(cert, { unit: [], environment: [] })).toBe(
      'client-transport-security.cert-file in /etc/etcd/etcd.conf.yml:11',
    );
  });

  test('that is no YAML is an error', () => {
    expect(() => settingsOf(processOf('yaml'), { path: '/c', text: 'a: [' })).toThrow();
  });
});

describe('the place of a setting', () => {
  const PATHS = ['/lib/systemd/system/etcd.service', '/etc/default/etcd'];
  const [unit, environment] = PATHS.map((path) => {
    const found = settingPlaces.parse(fixture('facts/etcd-setting-places-package.txt'), PATHS).get(path);
    return [{ path, lines: found?.lines ?? new Map<string, number>(), changedAt: undefined }];
  });
  const files = { unit: unit ?? [], environment: environment ?? [] };

  test('an environment file wins over the unit, which sets what it does not', () => {
    const settings = settingsOf(processOf('package'));
    const place = (name: 'name' | 'data-dir'): string | undefined => {
      const setting = settings.get(name);
      return setting && describePlace(setting, files);
    };
    expect(place('name')).toBe('ETCD_NAME in /etc/default/etcd:1');
    expect(place('data-dir')).toBe('ETCD_DATA_DIR in /lib/systemd/system/etcd.service:11');
  });

  test('where no file names it, the process does', () => {
    const setting = settingsOf(processOf('flags')).get('name');
    expect(setting && describePlace(setting, files)).toBe('--name of the running etcd');
  });
});
