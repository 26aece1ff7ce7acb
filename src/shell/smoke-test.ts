import type { Command } from '../model/remote.js';
import { KUBECTL } from './drain-node.js';
import { quote } from './quote.js';

/** A namespace of its own: what is in it is removed with it. */
const SMOKE_NAMESPACE = 'provision-smoke-test';

/** Where the pods of the test answer. */
const SMOKE_PORT = 8080;

const OWNER = 'app.kubernetes.io/managed-by';
const NAME = 'smoke-test';

/** Images may have to be fetched first. */
const READY_S = 180;

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
  '{{range .status.conditions}}{{if eq .type "Ready"}}{{.status}}{{end}}{{end}}{{"\\n"}}{{end}}',
].join('');

/**
 * On a control plane: removes what a test that was killed has left, and lists the nodes. Prints `N NAME WHY-NOT READY`, separated by
 * tabs; why not: `cordoned`, and keys of taints.
 */
export function beginSmokeTest(): Command {
  const seen = `jsonpath={.metadata.name} {.metadata.labels.${OWNER.replaceAll('.', '\\.')}}`;
  return {
    summary: 'kubectl get nodes',
    timeoutMs: (GONE_S + 60) * 1000,
    script: [
      'set -eu',
      `left=$(${KUBECTL} get namespace ${SMOKE_NAMESPACE} --ignore-not-found -o ${quote(seen)})`,
      'case $left in',
      "'') ;;",
      `'${SMOKE_NAMESPACE} provision') ${REMOVE} ;;`,
      `*) echo 'there is a namespace ${SMOKE_NAMESPACE} already, and this program did not make it' >&2; exit 1 ;;`,
      'esac',
      `${KUBECTL} get nodes -o ${quote(`go-template=${NODES}`)}`,
    ].join('\n'),
  };
}

const REMOVE = `timeout ${GONE_S} ${KUBECTL} delete namespace ${SMOKE_NAMESPACE} --ignore-not-found >/dev/null`;

const WARNINGS = 'go-template={{range .items}}{{.involvedObject.name}}: {{.message}}{{"\\n"}}{{end}}';
const PODS = 'go-template={{range .items}}P{{"\\t"}}{{.spec.nodeName}}{{"\\t"}}{{.status.podIP}}{{"\\n"}}{{end}}';
const SERVICE = 'go-template=S{{"\\t"}}{{.spec.clusterIP}}{{"\\n"}}';

/** On a control plane: pods and a service in front of them. Prints `P NODE IP` for each pod and `S IP`, separated by tabs, once all are ready. */
export function startSmokeTest(pods: SmokePods): Command {
  const inside = `${KUBECTL} -n ${SMOKE_NAMESPACE}`;
  return {
    summary: `kubectl create -f - (namespace ${SMOKE_NAMESPACE})`,
    timeoutMs: (READY_S + 60) * 1000,
    stdin: JSON.stringify(manifestOf(pods)),
    script: [
      'set -eu',
      `${KUBECTL} create -f - >/dev/null`,
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

/**
 * On a node: asks each address over HTTP, whatever it answers. Prints `A ADDRESS ANSWERED ASKED` for each.
 * @param addresses IP addresses of pods and services
 */
export function askSmokeTest(addresses: readonly string[], port = SMOKE_PORT): Command {
  // bash is essential on Debian and Ubuntu, and curl is not.
  const request = 'exec 3<>"/dev/tcp/$0/$1" && printf "GET / HTTP/1.0\\r\\nHost: $0\\r\\n\\r\\n" >&3 && head -c 7 <&3';
  return {
    summary: `ask ${addresses.join(', ')}`,
    timeoutMs: (3 * REQUESTS * addresses.length + 30) * 1000,
    script: [
      `for address in ${addresses.map(quote).join(' ')}; do`,
      '  answered=0',
      `  for _ in $(seq ${REQUESTS}); do`,
      `    case $(timeout 3 bash -c ${quote(request)} "$address" ${port} 2>/dev/null) in HTTP/1.) answered=$((answered + 1)) ;; esac`,
      '  done',
      `  printf 'A %s %s ${REQUESTS}\\n' "$address" "$answered"`,
      'done',
    ].join('\n'),
  };
}

/** On a control plane: removes all of it, and waits until it is gone. */
export function endSmokeTest(): Command {
  return {
    summary: `kubectl delete namespace ${SMOKE_NAMESPACE}`,
    timeoutMs: (GONE_S + 30) * 1000,
    script: ['set -eu', REMOVE].join('\n'),
  };
}

function manifestOf({ image, command, count, tolerated }: SmokePods): object {
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
        metadata: { name: SMOKE_NAMESPACE, labels: { [OWNER]: 'provision' } },
      },
      {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment' },
        metadata: { name: NAME, namespace: SMOKE_NAMESPACE },
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
        metadata: { name: NAME, namespace: SMOKE_NAMESPACE },
        spec: { selector: labels, ports: [{ port: SMOKE_PORT }] },
      },
    ],
  };
}
