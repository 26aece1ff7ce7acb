import type { Fact } from '../model/remote.js';
import { configMapPath } from '../shell/config-map.js';
import { askObjectScript, parseObject, type ApiserverObject } from './apiserver-object.js';

/** The ConfigMap kube-system/kubeadm-config, as the kube-apiserver of a host gives it. */
export type KubeadmConfig =
  | Exclude<ApiserverObject, { readonly kind: 'found' }>
  /** `configuration`: the YAML of its key ClusterConfiguration, `''` without one. */
  | { readonly kind: 'found'; readonly configuration: string };

/** The one key of {@link kubeadmConfig}. */
export const KUBEADM_CONFIG = 'kubeadm-config';

/** Key: {@link KUBEADM_CONFIG}. What kubeadm will write into manifests at its next upgrade or join. */
export const kubeadmConfig: Fact<KubeadmConfig> = {
  name: 'kubeadm-config',
  isConfidential: true,
  script: () => askObjectScript(configMapPath({ namespace: 'kube-system', name: 'kubeadm-config' })),
  parse(stdout, keys) {
    const read = parseObject(stdout.trim());
    const found: KubeadmConfig =
      read.kind === 'found'
        ? { kind: 'found', configuration: textAt(read.object, 'ClusterConfiguration') ?? '' }
        : read;
    return new Map(keys.map((key) => [key, found]));
  },
};

/** The text of a ConfigMap's key; `undefined` where it has none. */
export function textAt(configMap: unknown, key: string): string | undefined {
  const { data } = (configMap ?? {}) as { readonly data?: Readonly<Record<string, unknown>> | null };
  const text = data?.[key];
  return typeof text === 'string' ? text : undefined;
}
