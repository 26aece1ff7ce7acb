/** How to reach one machine, after ~/.ssh/config, ssh's arguments and Ansible's variables were put together. */
export interface Settings {
  /** The name as it was asked for, before HostName. */
  readonly alias: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** Absolute paths, in the order of trying. Most do not exist. */
  readonly identityFiles: readonly string[];
  /** Keys of the agent that are in no identity file are not tried. */
  readonly identitiesOnly: boolean;
  /** Socket of the agent, when it is not SSH_AUTH_SOCK; `none` for no agent. */
  readonly identityAgent: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hostKeyAlias: string | undefined;
  /** An unknown host key is accepted and remembered: StrictHostKeyChecking `accept-new`, `no` or `off`. */
  readonly acceptsNewKeys: boolean;
  readonly hashKnownHosts: boolean;
  /** `[user@]host[:port],…`, the last one nearest to the host. */
  readonly proxyJump: string | undefined;
  /** As it is written, with ssh's tokens (`%h`, `%p`, …), and ready to be run. */
  readonly proxyCommand: { readonly template: string; readonly expanded: string } | undefined;
  readonly connectTimeoutMs: number | undefined;
}

/** Values of ssh options, by lower-case keyword. */
export type SshOptions = ReadonlyMap<string, readonly string[]>;

/** ssh's default key files (ssh_config(5), IdentityFile), without the kinds that ssh2 can't use. */
const DEFAULT_IDENTITIES = ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519'];

/** Reads what `ssh -G` prints: one `keyword value` a line. */
export function parseOptions(text: string): SshOptions {
  const options = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, keyword, value] = /^\s*(\w+)[\s=]+(.*?)\s*$/.exec(line) ?? [];
    if (keyword === undefined || value === undefined) continue;
    const key = keyword.toLowerCase();
    options.set(key, [...(options.get(key) ?? []), value]);
  }
  return options;
}

/** Options of `ssh` that stand alone: they take no word of their own. */
const FLAG = /^-[46AaCfGgKkMNnqsTtVvXxYy]+$/;
const LETTER_KEYWORDS: Readonly<Record<string, string>> = { J: 'proxyjump', p: 'port', l: 'user', i: 'identityfile' };

/** The options in ssh's own arguments, as text for {@link parseOptions}: for machines without `ssh`. */
export function optionsInArguments(words: readonly string[]): string {
  const lines: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (FLAG.test(word) || !word.startsWith('-')) continue;
    const letter = word.charAt(1);
    const value = word.length > 2 ? word.slice(2) : (words[(index += 1)] ?? '');
    const keyword = LETTER_KEYWORDS[letter];
    if (letter === 'o') lines.push(value);
    else if (keyword !== undefined) lines.push(`${keyword} ${value}`);
  }
  return lines.join('\n');
}

/** What {@link settingsFrom} fills gaps with. */
export interface SettingsContext {
  readonly alias: string;
  readonly home: string;
  /** The local user, who is also the remote one when nothing else is said. */
  readonly user: string;
}

type Tokens = Readonly<Record<string, string>>;

function expand(text: string, tokens: Tokens): string {
  return text.replace(/%./g, (token) => tokens[token] ?? token);
}

/** Makes sense of options; the first value of a keyword counts, as for ssh. */
export function settingsFrom(options: SshOptions, { alias, home, user }: SettingsContext): Settings {
  const first = (keyword: string): string | undefined => options.get(keyword)?.[0];
  const unlessNone = (keyword: string): string | undefined => {
    const value = first(keyword);
    return value === undefined || value.toLowerCase() === 'none' ? undefined : value;
  };
  const hostname = (first('hostname') ?? alias).replaceAll('%h', alias);
  const port = Number(first('port') ?? 22);
  const login = first('user') ?? user;
  // ssh_config(5), TOKENS: those that ssh -G leaves as they are written.
  const tokens: Tokens = {
    '%%': '%',
    '%d': home,
    '%h': hostname,
    '%n': alias,
    '%p': String(port),
    '%r': login,
    '%u': user,
  };
  const path = (text: string): string =>
    expand(text.replace(/^"(.*)"$/, '$1').replace(/^(~|\$\{HOME\})(?=\/)/, home), tokens);
  const paths = (keyword: string, fallback: string): readonly string[] =>
    (first(keyword) ?? fallback)
      .split(/\s+/)
      .filter((word) => word !== '' && word !== 'none')
      .map(path);
  const seconds = Number(first('connecttimeout'));
  const [agent, keyAlias, command] = [first('identityagent'), unlessNone('hostkeyalias'), unlessNone('proxycommand')];
  return {
    alias,
    hostname,
    port,
    user: login,
    identityFiles: (options.get('identityfile') ?? DEFAULT_IDENTITIES).filter((file) => file !== 'none').map(path),
    identitiesOnly: first('identitiesonly') === 'yes',
    identityAgent: agent === undefined ? undefined : path(agent),
    userKnownHostsFiles: paths('userknownhostsfile', '~/.ssh/known_hosts ~/.ssh/known_hosts2'),
    globalKnownHostsFiles: paths('globalknownhostsfile', '/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2'),
    hostKeyAlias: keyAlias === undefined ? undefined : expand(keyAlias, tokens),
    acceptsNewKeys: ['accept-new', 'no', 'off', 'false'].includes(first('stricthostkeychecking') ?? 'ask'),
    hashKnownHosts: first('hashknownhosts') === 'yes',
    proxyJump: unlessNone('proxyjump'),
    proxyCommand: command === undefined ? undefined : { template: command, expanded: expand(command, tokens) },
    connectTimeoutMs: seconds > 0 ? seconds * 1000 : undefined,
  };
}

/** A machine on the way, as `-J` and ProxyJump write it. */
export interface Hop {
  readonly address: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
}

/**
 * The last hop of a ProxyJump list, which is the one that reaches the host, and the list that leads to that hop.
 * @param list `[user@]host[:port],…`, also as `ssh://user@host:port`
 */
export function lastHop(list: string): { readonly hop: Hop; readonly before: string | undefined } {
  const cut = list.lastIndexOf(',');
  const text = list.slice(cut + 1).replace(/^ssh:\/\//, '');
  const [, user, bracketed, plain, port] = /^(?:(.*)@)?(?:\[(.+)\]|([^:]*|.*:.*:.*))(?::(\d+))?$/.exec(text) ?? [];
  return {
    hop: { address: bracketed ?? plain ?? text, port: port === undefined ? undefined : Number(port), user },
    before: cut < 0 ? undefined : list.slice(0, cut),
  };
}
