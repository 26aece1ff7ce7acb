import type { Command } from '../model/remote.js';
import { asciiJson, patchScript } from './own-apiserver.js';

/** One key of a ConfigMap. */
export interface ConfigMapKey {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

/** The path of a ConfigMap in the API. */
export function configMapPath({ namespace, name }: Pick<ConfigMapKey, 'namespace' | 'name'>): string {
  return `/api/v1/namespaces/${namespace}/configmaps/${name}`;
}

/** What the text of a key is to be, and what it must be before. */
export interface ConfigMapEdit {
  readonly at: ConfigMapKey;
  readonly before: string;
  readonly after: string;
  /** A DaemonSet whose pods read it at their start: they are started again, one after the other, as `kubectl rollout restart` does. */
  readonly restarts?: { readonly namespace: string; readonly name: string } | undefined;
}

/**
 * Changes one key of a ConfigMap, only if its text is still the one that was read: the apiserver tests and replaces in one
 * step (RFC 6902), so that no one else's edit is overwritten.
 */
export function replaceConfigMapKey(summary: string, edit: ConfigMapEdit): Command {
  const { name } = edit.at;
  return replacement(
    summary,
    edit,
    `echo '${name} has changed since it was read: nothing was overwritten' >&2; exit 1`,
  );
}

/** Takes {@link replaceConfigMapKey} back; where the text is not what was written then, there is nothing to roll back. */
export function restoreConfigMapKey(summary: string, { at, before, after, restarts }: ConfigMapEdit): Command {
  return replacement(summary, { at, before: after, after: before, restarts }, 'exit 0');
}

function replacement(summary: string, { at, before, after, restarts }: ConfigMapEdit, whenChanged: string): Command {
  // RFC 6901, section 3.
  const path = `/data/${at.key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const patch = [
    { op: 'test', path, value: before },
    { op: 'replace', path, value: after },
  ];
  const script = [
    'body=$(cat)',
    patchScript({ path: configMapPath(at), type: 'application/json-patch+json', whenChanged }),
    ...(restarts === undefined ? [] : [restartScript(restarts)]),
  ].join('\n');
  return { summary, script, stdin: asciiJson(patch) };
}

/** Lets the pods of a DaemonSet be started again, one after the other. */
export function restartDaemonSet(daemonSet: { readonly namespace: string; readonly name: string }): Command {
  const { namespace, name } = daemonSet;
  return { summary: `restart the pods of ${namespace}/${name}`, script: restartScript(daemonSet) };
}

/** The path of a DaemonSet in the API. */
export function daemonSetPath({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `/apis/apps/v1/namespaces/${namespace}/daemonsets/${name}`;
}

function restartScript(daemonSet: { readonly namespace: string; readonly name: string }): string {
  // The annotation of `kubectl rollout restart` (kubectl, polymorphichelpers/objectrestarter.go).
  const annotations = { 'kubectl.kubernetes.io/restartedAt': 'NOW' };
  const body = JSON.stringify({ spec: { template: { metadata: { annotations } } } });
  return [
    `body='${body.replace('NOW', `'"$(date -u +%Y-%m-%dT%H:%M:%SZ)"'`)}'`,
    patchScript({
      path: daemonSetPath(daemonSet),
      type: 'application/strategic-merge-patch+json',
      whenChanged: `echo "the kube-apiserver answers $status" >&2; exit 1`,
    }),
  ].join('\n');
}
