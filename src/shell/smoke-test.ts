import type { Command } from '../model/remote.js';
import { KUBECTL } from './drain-node.js';
import { quote } from './quote.js';

/** Each test has a namespace of its own, and what is in it is removed with it. */
const SMOKE_NAMESPACE = 'provision-smoke-test';

/** The namespace of a test. @param run names the test: hexadecimal digits */
export function smokeNamespace(run: string): string {
  return `${SMOKE_NAMESPACE}-${run}`;
}

/** Where the pods of the test answer. */
const SMOKE_PORT = 8080;

const NAME = 'smoke-test';
const OURS = { 'app.kubernetes.io/managed-by': 'provision', 'app.kubernetes.io/name': NAME };
const RUN = 'provision/run';

/** Images may have to be fetched first. */
const READY_S = 180;

/** No test takes as long: images, pods, questions and the removal all have their limits. */
const ABANDONED_S = 1800;

/** Pods have 30 s to end, and then their namespace goes. */
const GONE_S = 120;

/** How often each address is asked: a service leads to one of its pods by chance. */
const REQUESTS = 5;

/** What is set up. */
export interface SmokePods {
  readonly image: string;
  /** Absent: that of the image. */
  readonly command: readonly string[];
  /** On as many nodes. */
  readonly count: number;
  /** Keys of taints that the pods tolerate. */
  readonly tolerated: readonly string[];
}

const NODES = [
  '{{range .items}}N{{"\\t"}}{{.metadata.name}}{{"\\t"}}{{if .spec.unschedulable}}cordoned {{end}}',
  '{{range .spec.taints}}{{if ne .effect "PreferNoSchedule"}}{{.key}} {{end}}{{end}}{{"\\t"}}',
  // A kubelet writes the status of its node, and may write what it likes.
  '{{range .status.conditions}}{{if eq .type "Ready"}}{{if eq .status "True"}}True{{end}}{{end}}{{end}}{{"\\n"}}{{end}}',
].join('');

/**
 * On a control plane: lists the nodes. Prints `N NAME WHY-NOT READY`, separated by tabs; why not: `cordoned`, and keys of taints.
 */
export function beginSmokeTest(): Command {
  return {
    summary: 'kubectl get nodes',
    timeoutMs: 60_000,
    script: `${KUBECTL} get nodes -o ${quote(`go-template=${NODES}`)}`,
  };
}

const LEFT = '{{range .items}}{{.metadata.name}} {{.metadata.creationTimestamp}} {{.status.phase}}{{"\\n"}}{{end}}';

const WARNINGS = 'go-template={{range .items}}{{.involvedObject.name}}: {{.message}}{{"\\n"}}{{end}}';
const PODS =
  'go-template={{range .items}}P{{"\\t"}}{{.spec.nodeName}}{{"\\t"}}{{printf "%q" .status.podIP}}{{"\\n"}}{{end}}';
const SERVICE = 'go-template=S{{"\\t"}}{{.spec.clusterIP}}{{"\\n"}}';

/**
 * On a control plane: makes pods, and a service in front of them, and removes what tests that were killed have left: namespaces that were
 * made so much earlier than this one, by the clock of the API server. Prints `L NAMESPACE SECONDS` of each that goes, and `T NAMESPACE` of
 * each that does not, which is no reason to end. @param run as {@link smokeNamespace}
 */
export function startSmokeTest(run: string, pods: SmokePods): Command {
  const ours = Object.entries(OURS).map(([label, value]) => `${label}=${value}`);
  return {
    summary: `kubectl create -f - (namespace ${smokeNamespace(run)})`,
    timeoutMs: 180_000,
    stdin: JSON.stringify(manifestOf(run, pods)),
    script: [
      'set -eu',
      `timeout 45 ${KUBECTL} create -f - >/dev/null`,
      `left=$(timeout 45 ${KUBECTL} get namespaces -l ${ours.join(',')} -o ${quote(`go-template=${LEFT}`)}) || exit 0`,
      `own=$(printf '%s\\n' "$left" | sed -n 's/^${smokeNamespace(run)} \\([^ ]*\\) .*/\\1/p')`,
      '[ -n "$own" ] || exit 0',
      `printf '%s\\n' "$left" | while read -r name created phase; do`,
      `  case $name in ${SMOKE_NAMESPACE}-*) ;; *) continue ;; esac`,
      '  age=$(($(date -d "$own" +%s) - $(date -d "$created" +%s)))',
      `  [ "$age" -gt ${ABANDONED_S} ] || continue`,
      `  if [ "$phase" != Terminating ] && timeout 20 ${KUBECTL} delete namespace "$name" --ignore-not-found --wait=false >/dev/null 2>&1; then`,
      `    printf 'L\\t%s\\t%s\\n' "$name" "$age"`,
      '  else',
      `    printf 'T\\t%s\\n' "$name"`,
      '  fi',
      'done',
    ].join('\n'),
  };
}

/** On a control plane: waits for the pods. Prints `P NODE IP` for each and `S IP`, separated by tabs, once all are ready. */
export function awaitSmokeTest(run: string): Command {
  const inside = `${KUBECTL} -n ${smokeNamespace(run)}`;
  return {
    summary: `kubectl rollout status (namespace ${smokeNamespace(run)})`,
    timeoutMs: (READY_S + 60) * 1000,
    script: [
      'set -eu',
      `if ! out=$(timeout ${READY_S + 30} ${inside} rollout status deployment/${NAME} --timeout=${READY_S}s 2>&1); then`,
      `  printf '%s\\n' "$out" | tail -n 1 >&2`,
      `  ${inside} get events --field-selector type=Warning -o ${quote(WARNINGS)} | awk '!seen[$0]++' | tail -n 3 >&2`,
      '  exit 1',
      'fi',
      `${inside} get pods -o ${quote(PODS)}`,
      `${inside} get service ${NAME} -o ${quote(SERVICE)}`,
    ].join('\n'),
  };
}

/** No answer takes longer, in seconds. */
const ANSWER_S = 3;

/** The kube-proxy of a node learns of a service a moment after its pods are ready: so often it is asked for a first answer, with a second between. */
const FIRST_TRIES = 5;

/**
 * On a node: asks each address over HTTP, whatever it answers, once it has answered at all. Prints `A ADDRESS ANSWERED ASKED` for each.
 * @param addresses IP addresses of pods and services
 * @param pauseS between the tries for a first answer, seconds
 */
export function askSmokeTest(addresses: readonly string[], port = SMOKE_PORT, pauseS = 1): Command {
  // bash is essential on Debian and Ubuntu, and curl is not.
  const request = 'exec 3<>"/dev/tcp/$0/$1" && printf "GET / HTTP/1.0\\r\\nHost: $0\\r\\n\\r\\n" >&3 && head -c 7 <&3';
  const limitS = FIRST_TRIES * (ANSWER_S + pauseS) + REQUESTS * ANSWER_S;
  return {
    summary: `ask ${addresses.join(', ')}`,
    timeoutMs: (limitS * addresses.length + 30) * 1000,
    script: [
      'answers() {',
      `  case $(timeout ${ANSWER_S} bash -c ${quote(request)} "$1" ${port} 2>/dev/null) in HTTP/1.) ;; *) return 1 ;; esac`,
      '}',
      `for address in ${addresses.map(quote).join(' ')}; do`,
      `  answered=0 asked=0 left=${FIRST_TRIES}`,
      '  until answers "$address"; do',
      '    left=$((left - 1))',
      '    [ "$left" -gt 0 ] || break',
      `    sleep ${pauseS}`,
      '  done',
      `  while [ "$left" -gt 0 ] && [ "$asked" -lt ${REQUESTS} ]; do`,
      '    asked=$((asked + 1))',
      '    ! answers "$address" || answered=$((answered + 1))',
      '  done',
      `  printf 'A %s %s ${REQUESTS}\\n' "$address" "$answered"`,
      'done',
    ].join('\n'),
  };
}

/** On a control plane: removes all that a test has made, and waits until it is gone. What another one has made is not its own. */
export function endSmokeTest(run: string): Command {
  return {
    summary: `kubectl delete namespace ${smokeNamespace(run)}`,
    timeoutMs: (GONE_S + 30) * 1000,
    script: `timeout ${GONE_S} ${KUBECTL} delete namespace -l ${RUN}=${run} >/dev/null`,
  };
}

function manifestOf(run: string, { image, command, count, tolerated }: SmokePods): object {
  const namespace = smokeNamespace(run);
  const labels = { app: NAME };
  const apart = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } };
  const container = {
    ...{ name: NAME, image, imagePullPolicy: 'IfNotPresent' },
    ...(command.length === 0 ? {} : { command }),
    resources: { requests: { cpu: '10m', memory: '16Mi' } },
    readinessProbe: { tcpSocket: { port: SMOKE_PORT }, periodSeconds: 1 },
  };
  return {
    ...{ apiVersion: 'v1', kind: 'List' },
    items: [
      {
        ...{ apiVersion: 'v1', kind: 'Namespace' },
        metadata: { name: namespace, labels: { ...OURS, [RUN]: run } },
      },
      {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
        metadata: { name: NAME, namespace },
        spec: {
          ...{ replicas: count, selector: { matchLabels: labels } },
          template: {
            metadata: { labels },
            spec: {
              ...{ automountServiceAccountToken: false, terminationGracePeriodSeconds: 0, containers: [container] },
              tolerations: tolerated.map((key) => ({ key, operator: 'Exists' })),
              affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
            },
          },
        },
      },
      {
        ...{ apiVersion: 'v1', kind: 'Service' },
        metadata: { name: NAME, namespace },
        spec: { selector: labels, ports: [{ port: SMOKE_PORT }] },
      },
    ],
  };
}
