import {
  checkDnsName,
  checkHosts,
  checkNetwork,
  checkNetworkForm,
  checkPort,
  checkUser,
  checkVirtualIp,
  type CheckResult,
  parseHosts,
} from './checks.js';
import type { BalancerAnswers, InventoryAnswers, NamedHost } from './inventory-answers.js';
import type { Terminal } from './terminal.js';

/** What the wizard needs of the control machine. */
export interface WizardEdges {
  readonly terminal: Terminal;
  /** Is there a file at this path? `~` is the home directory. */
  readonly fileExists: (path: string) => Promise<boolean>;
}

interface Question {
  readonly message: string;
  readonly default?: string;
  readonly check: (answer: string) => CheckResult | Promise<CheckResult>;
}

/** Asks everything that an inventory needs. Each answer is checked at once, against the earlier ones too. */
export async function askInventory({ terminal, fileExists }: WizardEdges): Promise<InventoryAnswers> {
  const ask = await asker(terminal);
  const members = parseHosts(
    await ask.text({
      message: 'etcd hosts, as name=address, separated by commas',
      check: (answer) => checkHosts(answer),
    }),
  );
  if (members.length % 2 === 0) ask.note(evenMembers(members.length));
  const balancer = await askBalancer(ask, members);
  const known = [...members, ...(balancer?.hosts ?? [])];
  const controlPlanes = parseHosts(
    await ask.text({
      message: 'Control-plane hosts whose kube-apiserver uses this etcd (empty: none)',
      check: (answer) =>
        answer === '' ? true : firstProblem(checkHosts(answer, known), notVirtual(answer, balancer?.ip)),
    }),
  );
  const sshUser = await ask.text({ message: 'User to log in as with SSH', default: 'root', check: checkUser });
  const privateKeyFile = await ask.text({
    message: "Private key file (empty: the agent, or ssh's defaults)",
    check: async (answer) => {
      if (answer === '') return true;
      if (answer.endsWith('.pub')) return `${answer} is the public key; name the private one beside it`;
      return (await fileExists(answer)) || `there is no file ${answer}`;
    },
  });
  return { members, balancer, controlPlanes, sshUser, privateKeyFile: noneIfEmpty(privateKeyFile) };
}

async function askBalancer(ask: Asker, members: readonly NamedHost[]): Promise<BalancerAnswers | undefined> {
  const address = await askVirtualIp(ask, members);
  if (address === undefined) return undefined;
  const { ip, network } = address;
  const name = await ask.text({ message: 'DNS name of the virtual IP (empty: none)', check: checkDnsName });
  const port = await ask.text({ message: 'Port on the virtual IP', default: '2379', check: checkPort });
  const apart = network === '' ? true : checkNetwork(network, ip, members);
  if (apart !== true) ask.note(`${apart}: the load balancer needs hosts of its own`);
  const isShared = apart === true && (await ask.yes('Run HAProxy and keepalived on the etcd hosts?'));
  const hosts = isShared
    ? undefined
    : parseHosts(
        await ask.text({
          message: 'Load-balancer hosts, as name=address',
          check: (answer) =>
            firstProblem(
              checkHosts(answer, members),
              notVirtual(answer, ip),
              network === '' ? true : checkNetwork(network, ip, parseHosts(answer)),
            ),
        }),
      );
  return { ip, name: noneIfEmpty(name), port: Number(port), network: noneIfEmpty(network), hosts };
}

/** Asked together: which of the two is wrong, only a person knows. */
async function askVirtualIp(
  ask: Asker,
  members: readonly NamedHost[],
): Promise<{ readonly ip: string; readonly network: string } | undefined> {
  for (;;) {
    const ip = await ask.text({
      message: 'Virtual IP for clients (empty: no load balancer)',
      check: (answer) => checkVirtualIp(answer, members),
    });
    if (ip === '') return undefined;
    const network = await ask.text({
      message: 'Network that holds the virtual IP, as 10.0.0.0/24 (empty: not checked)',
      check: (answer) => (answer === '' ? true : checkNetworkForm(answer)),
    });
    const fits = network === '' ? true : checkNetwork(network, ip, []);
    if (fits === true) return { ip, network };
    ask.note(`${fits}; both are asked again`);
  }
}

function notVirtual(answer: string, ip: string | undefined): CheckResult {
  return parseHosts(answer).some(({ address }) => address === ip) ? `${ip ?? ''} is the virtual IP` : true;
}

function firstProblem(...results: readonly CheckResult[]): CheckResult {
  return results.find((result) => result !== true) ?? true;
}

function noneIfEmpty(answer: string): string | undefined {
  return answer === '' ? undefined : answer;
}

function evenMembers(count: number): string {
  return `${count} members tolerate the loss of ${count / 2 - 1}, no more than ${count - 1} would: an odd number is better.`;
}

interface Asker {
  text(question: Question): Promise<string>;
  /** Yes or no, yes by default. */
  yes(message: string): Promise<boolean>;
  note(text: string): void;
}

async function asker(terminal: Terminal): Promise<Asker> {
  const { confirm, input } = await import('@inquirer/prompts');
  return {
    text: async ({ check, ...question }) =>
      (await input({ ...question, validate: (answer) => check(answer.trim()) }, terminal)).trim(),
    yes: (message) => confirm({ message, default: true }, terminal),
    note: (text) => terminal.output.write(`  ${text}\n`),
  };
}
