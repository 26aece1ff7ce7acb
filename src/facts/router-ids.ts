import type { Fact } from '../model/remote.js';
import { quote } from '../shell/quote.js';

/** A virtual router id that a group of VRRP uses. */
export interface UsedRouterId {
  readonly id: number;
  /** The virtual addresses that the group says it has; IPv4. */
  readonly addresses: readonly string[];
  /** Whose advert it was; absent: a file of keepalived on the host that was asked has it. */
  readonly sender?: string;
}

/** Virtual router ids that are in use around a host. */
export interface RouterIdsSeen {
  /** Whether it could listen: it takes root, and Perl, which Debian always has. */
  readonly listened: boolean;
  readonly used: readonly UsedRouterId[];
}

/** keepalived advertises every second unless `advert_int` says another time: VRRP's own default (RFC 5798, section 5.2.7). */
export const LISTEN_S = 3;

/**
 * Every advert of VRRP, protocol 112, that reaches the host within some seconds: by multicast (224.0.0.18), for which it joins the group
 * on the interface of an address, or sent to it alone. Each id is said once for each sender and its addresses: of one id there may be two groups. An advert with a lower TTL than 255 came by a
 * router, and is none (RFC 5798, section 5.1.1.3). Debian's `perl-base` is essential there, and brings the module.
 */
const LISTEN = String.raw`use strict; use Socket ":all";
my ($own, $seconds) = @ARGV;
socket(my $in, PF_INET, SOCK_RAW, 112) or exit;
setsockopt($in, IPPROTO_IP, IP_ADD_MEMBERSHIP, inet_aton("224.0.0.18") . inet_aton($own)) or exit;
print "listened\n";
$SIG{ALRM} = sub { exit }; alarm $seconds;
my %seen;
while (defined recv($in, my $packet, 4096, 0)) {
  next if length $packet < 20 or ord(substr $packet, 8, 1) != 255;
  my $advert = substr $packet, 4 * (ord($packet) & 15);
  my ($kind, $id, $priority, $count) = unpack "C4", $advert;
  next if length $advert < 8 or ($kind & 15) != 1;
  my @addresses = map { inet_ntoa(substr $advert, 8 + 4 * $_, 4) } grep { length $advert >= 12 + 4 * $_ } 0 .. ($count > 20 ? 19 : $count - 1);
  my $heard = join " ", "heard", $id, inet_ntoa(substr $packet, 12, 4), @addresses;
  print "$heard\n" unless $seen{$heard}++;
  exit if keys %seen > 999;
}`;

/** Of keepalived's files: each instance with its id and its addresses, a line each. */
const IN_FILES = String.raw`$1 == "vrrp_instance" { print "instance" }
$1 == "virtual_router_id" { print "id", $2 }
$1 == "virtual_ipaddress" { held = 1; next }
/}/ { held = 0 }
held { print "address", $1 }`;

/** Key: an IPv4 address of the host; it listens on the interface of it. */
export const routerIds: Fact<RouterIdsSeen> = {
  name: 'router-ids',
  script: (addresses) =>
    [
      ...addresses.map(
        (address) =>
          `printf 'on %s\\n' ${quote(address)}; timeout ${LISTEN_S + 5} perl -e ${quote(LISTEN)} ${quote(address)} ${LISTEN_S} 2>/dev/null || :`,
      ),
      `echo files; find /etc/keepalived -name '*.conf' -type f -exec awk ${quote(IN_FILES)} {} + 2>/dev/null || :`,
    ].join('\n'),
  parse(stdout, addresses) {
    const [listening = '', files = ''] = stdout.split(/^files$/m);
    const parts = listening.split(/^on .*$/m).slice(1);
    const inFiles = readFiles(files);
    return new Map(
      addresses.map((address, index) => {
        const part = parts[index] ?? '';
        return [address, { listened: /^listened$/m.test(part), used: [...readHeard(part), ...inFiles] }];
      }),
    );
  },
};

function readHeard(text: string): readonly UsedRouterId[] {
  return [...text.matchAll(/^heard (\d{1,3}) ([\d.]+)((?: [\d.]+)*)$/gm)].map(
    ([, id, sender = '', addresses = '']) => ({
      id: Number(id),
      sender,
      addresses: addresses.split(' ').filter((address) => address !== ''),
    }),
  );
}

function readFiles(text: string): readonly UsedRouterId[] {
  return text.split(/^instance$/m).flatMap((instance) => {
    const [, id] = /^id 0*(\d{1,3})$/m.exec(instance) ?? [];
    const addresses = [...instance.matchAll(/^address ([\d.]+)(?:\/\d+)?$/gm)].map(([, address = '']) => address);
    return id === undefined ? [] : [{ id: Number(id), addresses }];
  });
}
