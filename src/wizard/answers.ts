import { z } from 'zod';

/** One answer: a line, or some names. */
export type Answer = string | readonly string[];

function expected(what: string): { readonly error: (issue: { readonly input: unknown }) => string } {
  return { error: ({ input }) => `${JSON.stringify(input)} is not ${what}` };
}

const text = z.string(expected('a text; expected one, in quotes where YAML reads it as something else'));
const names = z.array(text, expected('a list; expected names, as [etcd-1, etcd-2]'));

function oneOf<const V extends readonly string[]>(words: V): z.ZodType<V[number]> {
  return z.literal([...words], expected(`a word of this question; expected one of ${words.join(', ')}`));
}

/** What a person may have already. */
export const STARTS = ['bare', 'etcd', 'kubernetes', 'stacked', 'inventory'] as const;

/** One of {@link STARTS}. */
export type Start = (typeof STARTS)[number];

/** What may become of a stacked etcd that was found. */
export const STACKED_WAYS = ['move', 'stay'] as const;

/** One of {@link STACKED_WAYS}. */
export type StackedWay = (typeof STACKED_WAYS)[number];

/** What clients may reach etcd by. */
export const BALANCER_WAYS = ['haproxy', 'nginx', 'terminate', 'external', 'none'] as const;

/** One of {@link BALANCER_WAYS}. */
export type BalancerWay = (typeof BALANCER_WAYS)[number];

/** When API servers move to the load balancer. */
export const REPOINTS = ['apply', 'later'] as const;

/** One of {@link REPOINTS}. */
export type Repoint = (typeof REPOINTS)[number];

/** What a cluster may have besides. */
export const EXTRAS = ['firewall', 'snapshots', 'fastFailover'] as const;

/** One of {@link EXTRAS}. */
export type Extra = (typeof EXTRAS)[number];

const AUTHORITIES = ['new', 'imported'] as const;

/** Where the authority of etcd comes from. */
export type Authority = (typeof AUTHORITIES)[number];

/** The answers of `provision init`, by the name of their question, as a file of answers has them. None is a secret. */
export const answersSchema = z.strictObject({
  start: z
    .enum(STARTS, expected(`a way to start; expected one of ${STARTS.join(', ')}`))
    .optional()
    .describe(
      'what there is: `bare` hosts, a running `etcd`, a running `kubernetes` with external etcd, one whose `stacked` etcd is to move to other hosts, or an `inventory` of Ansible or kubespray',
    ),
  from: text.optional().describe('the inventory to start from, where `start` is `inventory`'),
  hosts: names.optional().describe('all hosts: `name=address`, a name alone, or a range as `etcd-[1:3]`'),
  user: text.optional().describe('user to log in as with SSH'),
  privateKey: text.optional().describe("private key file; empty: the agent, or ssh's defaults"),
  etcd: names.optional().describe('names of the hosts that run etcd'),
  stacked: oneOf(STACKED_WAYS)
    .optional()
    .describe('of an etcd that was found stacked: whether it is to `move` to other hosts, or to `stay`'),
  controlPlanes: names.optional().describe('names of the hosts whose kube-apiserver uses this etcd'),
  virtualIp: text
    .optional()
    .describe('virtual IP for clients; empty: no load balancer. Of `external`: its address; empty: its DNS name alone'),
  balancer: oneOf(BALANCER_WAYS)
    .optional()
    .describe(
      'what clients reach etcd by: `haproxy`, `nginx`, HAProxy that ends TLS (`terminate`), a load balancer that others run (`external`), or the members themselves (`none`)',
    ),
  network: text.optional().describe('network that holds the virtual IP, as 10.0.0.0/24; empty: not checked'),
  routerId: z
    .int(expected('a virtual router id; expected a number from 1 to 255'))
    .min(1, expected('a virtual router id; expected a number from 1 to 255'))
    .max(255, expected('a virtual router id; expected a number from 1 to 255'))
    .optional()
    .describe('VRRP router id of the virtual IP, which no other group of its network may have'),
  dnsName: text.optional().describe('DNS name of the load balancer; empty: none'),
  port: z
    .int(expected('a port; expected a number from 1 to 65535'))
    .min(1, expected('a port; expected a number from 1 to 65535'))
    .max(65535, expected('a port; expected a number from 1 to 65535'))
    .optional()
    .describe('port of the load balancer'),
  balancers: names.optional().describe('names of the hosts that run the proxy and keepalived'),
  repoint: oneOf(REPOINTS)
    .optional()
    .describe(
      "when the API servers move to etcd's load balancer: with the first `apply`, or `later`, with the playbook `repoint`",
    ),
  apiserverIp: text
    .optional()
    .describe('virtual IP of the API servers, on the control planes; `none`: they keep their own addresses'),
  extras: z
    .array(oneOf(EXTRAS))
    .optional()
    .describe('what else is set up: `firewall`, `snapshots` every night, `fastFailover` with VRRP 3'),
  authority: oneOf(AUTHORITIES)
    .optional()
    .describe('who signs the certificates of etcd: a `new` authority, or one that is `imported` before the first plan'),
});

/** The name of an answer. */
export type AnswerKey = keyof z.infer<typeof answersSchema>;
