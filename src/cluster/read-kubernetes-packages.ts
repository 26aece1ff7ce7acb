import { resolve } from 'node:path';
import type { KubernetesPackages } from '../model/kubernetes.js';
import type { KUBERNETES_PACKAGE_VARIABLES } from './kubernetes-package-variables.js';
import type { SharedValues } from './shared-values.js';
import type { VariableReader } from './variable-reader.js';

type PackageVariable = keyof typeof KUBERNETES_PACKAGE_VARIABLES;

/** What is needed to read them. */
interface PackageSource {
  readonly shared: SharedValues;
  /** Where relative paths start. */
  readonly directory: string;
  readonly reader: VariableReader;
}

/** The packages of Kubernetes that the inventory wants; nothing where others install them. */
export function readKubernetesPackages({ shared, directory, reader }: PackageSource): KubernetesPackages | undefined {
  const named = shared.at('kube_cluster_packages_repository');
  const repository = shared.value('kube_cluster_packages_repository');
  const key = shared.value('kube_cluster_packages_key');
  const version = shared.value('kube_cluster_packages_version');
  const suite = shared.valueOr('kube_cluster_packages_suite');
  const components = shared.valueOr('kube_cluster_packages_components');
  const containerdVersion = shared.value('kube_cluster_packages_containerd_version');
  const report = (name: PackageVariable, message: string): void => {
    reader.report('error', shared.at(name) ?? named, name, message);
  };
  if (repository === undefined) {
    if (key !== undefined || version !== undefined || containerdVersion !== undefined)
      reader.report(
        'warning',
        shared.at('kube_cluster_packages_version') ?? shared.at('kube_cluster_packages_key'),
        'kube_cluster_packages_repository',
        'is not set: what is said of its packages has no effect',
      );
    return undefined;
  }
  const isPath = suite.endsWith('/');
  if (isPath !== (components.length === 0))
    report(
      'kube_cluster_packages_components',
      isPath
        ? `none are expected: the suite ${suite} is a path`
        : `is not set, and the suite is ${suite}: expected a component such as main`,
    );
  if (shared.at('kube_cluster_packages_key') === undefined)
    report(
      'kube_cluster_packages_key',
      'is not set: expected the file of the key that signs kube_cluster_packages_repository',
    );
  if (shared.at('kube_cluster_packages_version') === undefined)
    report(
      'kube_cluster_packages_version',
      'is not set: expected the version that nodes get of kube_cluster_packages_repository, such as 1.30.4',
    );
  if (key === undefined || version === undefined) return undefined;
  return { repository, suite, components, keyFile: resolve(directory, key), version, containerdVersion };
}
