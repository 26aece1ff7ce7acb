import { mkdirSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { routerIds } from '../../src/facts/router-ids.js';
import { quote } from '../../src/shell/quote.js';
import { meanwhile } from '../support/meanwhile.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const OWN = '10.9.0.1';

/** Says in turn what each of some packets is, as hex of the advert, with its TTL. */
const SENDER = String.raw`use Socket ":all";
socket(my $out, PF_INET, SOCK_RAW, 112) or die; setsockopt($out, IPPROTO_IP, IP_MULTICAST_IF, inet_aton("${OWN}")) or die;
for (1 .. 20) {
  for (@ARGV) { my ($ttl, $hex) = split /:/;
    setsockopt($out, IPPROTO_IP, IP_MULTICAST_TTL, pack("i", $ttl)) or die;
    send($out, pack("H*", $hex), 0, pack_sockaddr_in(0, inet_aton("224.0.0.18"))) or die; }
  select undef, undef, undef, 0.1;
}`;

/**
 * Asks in a network of its own, while somebody sends these packets there: all tests at once, for each listens for some seconds.
 * @param files keepalived's, by their names
 * @returns waits for the answer
 */
function asking(packets: readonly string[], files: Readonly<Record<string, string>> = {}) {
  return meanwhile(() => ask(packets, files));
}

async function ask(packets: readonly string[], files: Readonly<Record<string, string>>) {
  const directory = temporaryDirectory('router-ids');
  for (const [name, text] of Object.entries({ 'keepalived/readme': 'virtual_router_id 9\n', ...files })) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const network = `ip link add d0 type veth peer name d1 && ip addr add ${OWN}/24 dev d0 && ip link set d0 up && ip link set d1 up`;
  const send = packets.length === 0 ? ':;' : `perl -e ${quote(SENDER)} ${packets.join(' ')} &`;
  const script = routerIds.script([OWN]).replaceAll('/etc/keepalived', join(directory, 'keepalived'));
  const all = `${network} && { ${send} } && ${script}`;
  const { stdout } = await promisify(execFile)('unshare', ['--net', 'sh', '-c', all]);
  return routerIds.parse(stdout, [OWN]).get(OWN);
}

// VRRP 2 for 10.0.0.50, id 51; VRRP 3 for two addresses, id 200 (RFC 3768, RFC 5798: section 5.1).
const SECOND = '213364010001abcd0a000032';
const THIRD = '31c864020064abcd0a0000640a000065';

const root = process.getuid?.() === 0;
if (!root) console.warn('skipped: listening for VRRP needs root');

(root ? describe : describe.skip)('virtual router ids that are in use', () => {
  const twoGroups = asking([`255:${SECOND}`, `255:${THIRD}`]);
  test('are heard, each once, with who sends and for which addresses', async () => {
    expect(await twoGroups()).toEqual({
      listened: true,
      used: [
        { id: 51, sender: OWN, addresses: ['10.0.0.50'] },
        { id: 200, sender: OWN, addresses: ['10.0.0.100', '10.0.0.101'] },
      ],
    });
  });

  const sameId = asking([`255:${SECOND}`, `255:${SECOND.replace(/32$/, '33')}`]);
  test('are listed for each group that has one: two may have the same', async () => {
    expect((await sameId())?.used).toEqual([
      { id: 51, sender: OWN, addresses: ['10.0.0.50'] },
      { id: 51, sender: OWN, addresses: ['10.0.0.51'] },
    ]);
  });

  const [routed, notify, short, long] = [`64:${SECOND}`, `255:22${SECOND.slice(2)}`, '255:2133', '255:21346464'];
  const noAdverts = asking([routed, notify, short, `${long}0001abcd0a000032`]);
  test('are not heard from behind a router, of another kind, or of what is too short; and no count leads out of an advert', async () => {
    expect(await noAdverts()).toEqual({
      listened: true,
      used: [{ id: 52, sender: OWN, addresses: ['10.0.0.50'] }],
    });
  });

  const main = `# virtual_router_id 8
vrrp_instance one {
    virtual_router_id 51
    unicast_peer {
        10.0.0.2
    }
    virtual_ipaddress {
        10.0.0.50/24 dev eth0
        10.0.0.51
    }
}
vrrp_instance two {
    virtual_router_id 052
}
`;
  const own = 'vrrp_instance etcd {\n virtual_ipaddress {\n  10.0.0.100/32 dev eth0\n }\n virtual_router_id 100\n}\n';
  const inFiles = asking([], { 'keepalived/keepalived.conf': main, 'keepalived/provision/etcd.conf': own });
  test('are in the files of keepalived, also of those that do not advertise to here; comments are none', async () => {
    const seen = await inFiles();
    expect(seen?.listened).toBe(true);
    expect(seen?.used.toSorted((a, b) => a.id - b.id)).toEqual([
      { id: 51, addresses: ['10.0.0.50', '10.0.0.51'] },
      { id: 52, addresses: [] },
      { id: 100, addresses: ['10.0.0.100'] },
    ]);
  });
});

test('a host without Perl, or without the right to listen, has not listened', () => {
  expect(routerIds.parse(`on ${OWN}\nfiles\n`, [OWN]).get(OWN)).toEqual({ listened: false, used: [] });
});
