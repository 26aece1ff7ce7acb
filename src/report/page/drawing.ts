import { counted } from '../../model/counted.js';
import type { ClusterPicture, MemberState, PicturedApiServer, PicturedService } from '../../model/cluster-picture.js';
import type { Tone } from './report-verdict.js';

/** A box of a drawing. */
export interface Box {
  /** Unique in its drawing; made here. */
  readonly id: string;
  readonly title: string;
  /** Below the title. */
  readonly detail: string;
  readonly tone: Tone | 'plain';
}

/** Boxes one above the other. */
export interface Column {
  readonly title: string;
  readonly boxes: readonly Box[];
}

/** From one box to another. `dashed`: it would be, after a fail-over. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly kind: 'solid' | 'dashed';
}

/** A picture before anybody draws it: columns from left to right, and how clients get from one to the next. */
export interface Drawing {
  readonly columns: readonly Column[];
  readonly links: readonly Link[];
}

/** More boxes of a column than these are one box. */
const MOST_BOXES = 12;

/** Who reaches etcd, on which way; of a long column the rest is one box. */
export function drawCluster(picture: ClusterPicture): Drawing {
  return folded(drawWhole(picture));
}

/** The same with every box, for those who have room for names. */
export function drawWhole(picture: ClusterPicture): Drawing {
  const api = picture.services.filter(({ name }) => name === 'kube-apiserver').map(drawService);
  const etcd = picture.services.filter(({ name }) => name === 'etcd').map(drawService);
  const members = memberColumn(picture);
  const apiServers = apiServerColumn(picture);
  const columns = [
    ...api.flatMap(({ columns }) => columns),
    apiServers,
    ...externalColumn(picture),
    ...etcd.flatMap(({ columns }) => columns),
    members,
  ].filter(({ boxes }) => boxes.length > 0);
  const links = [
    ...api.flatMap(({ links, holders }) => [...links, ...fromAll(holders, apiServers.boxes)]),
    ...picture.apiServers.flatMap((server, index) => apiServerLinks(server, `a${index}`, picture)),
    ...etcd.flatMap(({ links, holders }) => [...links, ...fromAll(holders, members.boxes)]),
  ];
  return { columns, links };
}

/** `HOST:PORT` of the virtual IP of a service. */
function placeOf({ ip, port }: Pick<PicturedService, 'ip' | 'port'>): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

interface DrawnService extends Drawing {
  /** Ids of the balancers that hold its virtual IP. */
  readonly holders: readonly string[];
}

function drawService(service: PicturedService): DrawnService {
  const { name, balancers, proxy } = service;
  const holders = balancers.filter(({ holds }) => holds === 'yes');
  const isSeen = balancers.some(({ holds }) => holds !== 'unknown');
  const virtualIp: Box = {
    id: `v-${name}`,
    title: placeOf(service),
    detail: isSeen ? heldBy(holders.map(({ host }) => host)) : 'virtual IP',
    tone: !isSeen ? 'plain' : holders.length === 1 ? 'good' : 'bad',
  };
  const boxes = balancers.map(({ host, holds }, index): Box => {
    const details = { yes: `${proxy}, holds the IP`, no: proxy, unknown: `${proxy}, not seen` };
    const detail = isSeen ? details[holds] : proxy;
    return { id: `b-${name}-${index}`, title: host, detail, tone: holds === 'yes' ? 'good' : 'plain' };
  });
  return {
    columns: [
      { title: `virtual IP of ${name}`, boxes: [virtualIp] },
      { title: `balancers of ${name}`, boxes },
    ],
    links: balancers.map(({ holds }, index) => ({
      from: virtualIp.id,
      to: `b-${name}-${index}`,
      kind: holds === 'yes' ? 'solid' : 'dashed',
    })),
    holders: balancers.flatMap(({ holds }, index) => (holds === 'yes' ? [`b-${name}-${index}`] : [])),
  };
}

function heldBy(holders: readonly string[]): string {
  if (holders.length === 0) return 'held by nobody';
  return holders.length === 1 ? `held by ${holders[0] ?? ''}` : `held by ${holders.length} hosts at once`;
}

const TONES: Readonly<Record<MemberState, Box['tone']>> = {
  leader: 'good',
  follower: 'good',
  learner: 'watch',
  unhealthy: 'bad',
  'does not answer': 'bad',
  unreachable: 'bad',
  'not asked': 'plain',
  wanted: 'plain',
};

function memberColumn({ members }: ClusterPicture): Column {
  const boxes = members.map(({ host, address, state, version }, index): Box => {
    const words = state === 'wanted' ? address : version === undefined ? state : `${state}, etcd ${version}`;
    return { id: `m${index}`, title: host, detail: words, tone: TONES[state] };
  });
  return { title: 'etcd members', boxes };
}

function apiServerColumn({ apiServers }: ClusterPicture): Column {
  const boxes = apiServers.map(({ host, servers, absent }, index): Box => {
    const detail = absent ?? (servers.length === 1 ? (servers[0] ?? '') : counted(servers.length, 'etcd server'));
    return { id: `a${index}`, title: host, detail, tone: absent === 'unreachable' ? 'bad' : 'plain' };
  });
  return { title: 'API servers', boxes };
}

function externalColumn({ external }: ClusterPicture): readonly Column[] {
  if (external === undefined) return [];
  const box: Box = { id: 'x', title: external, detail: 'load balancer of others', tone: 'plain' };
  return [{ title: 'load balancer', boxes: [box] }];
}

/** To the virtual IP, to members, to a load balancer of others: what each of its servers is. */
function apiServerLinks({ servers }: PicturedApiServer, from: string, picture: ClusterPicture): readonly Link[] {
  const { members, services, external } = picture;
  return servers.flatMap((server): Link[] => {
    if (server === external) return [{ from, to: 'x', kind: 'solid' }];
    const service = services.find((each) => each.name === 'etcd' && placeOf(each) === server);
    if (service !== undefined) return [{ from, to: `v-${service.name}`, kind: 'solid' }];
    const member = members.findIndex(({ host, address }) => [host, address].some((name) => isAt(server, name)));
    return member < 0 ? [] : [{ from, to: `m${member}`, kind: 'solid' }];
  });
}

function isAt(server: string, name: string): boolean {
  return server.startsWith(name.includes(':') ? `[${name}]:` : `${name}:`);
}

function fromAll(ids: readonly string[], boxes: readonly Box[]): readonly Link[] {
  return ids.flatMap((from) => boxes.map(({ id }): Link => ({ from, to: id, kind: 'solid' })));
}

/** Of a long column the rest is one box, which has the links of all of it, each once. */
function folded({ columns, links }: Drawing): Drawing {
  const folds = new Map<string, string>();
  const short = columns.map((column, index): Column => {
    const rest = column.boxes.slice(MOST_BOXES - 1);
    if (rest.length < 2) return column;
    const id = `rest${index}`;
    for (const box of rest) folds.set(box.id, id);
    const more: Box = { id, title: `${rest.length} more`, detail: '', tone: worstOf(rest) };
    return { ...column, boxes: [...column.boxes.slice(0, MOST_BOXES - 1), more] };
  });
  const moved = links.map(({ from, to, kind }) => ({ from: folds.get(from) ?? from, to: folds.get(to) ?? to, kind }));
  return { columns: short, links: [...new Map(moved.map((link) => [JSON.stringify(link), link])).values()] };
}

function worstOf(boxes: readonly Box[]): Box['tone'] {
  const tones = new Set(boxes.map(({ tone }) => tone));
  return (['bad', 'watch', 'good'] as const).find((tone) => tones.has(tone)) ?? 'plain';
}
