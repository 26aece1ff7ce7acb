/** An inventory for host patterns, and patterns with what Ansible selects (the contract test asks it). */
export const PATTERN_INVENTORY = `
[etcd]
etcd-1
etcd-2
etcd-3
[kube_control_plane]
cp-1
etcd-1
[web]
www.example.com
www2.example.com
[cluster:children]
etcd
kube_control_plane
[all:vars]
x=1
`;

export const PATTERN_CASES: readonly (readonly [string, readonly string[]])[] = [
  ['all', ['www.example.com', 'www2.example.com', 'etcd-1', 'etcd-2', 'etcd-3', 'cp-1']],
  ['*', ['www.example.com', 'www2.example.com', 'etcd-1', 'etcd-2', 'etcd-3', 'cp-1']],
  ['etcd', ['etcd-1', 'etcd-2', 'etcd-3']],
  ['etcd:!etcd-2', ['etcd-1', 'etcd-3']],
  ['etcd,!etcd-2', ['etcd-1', 'etcd-3']],
  ['!etcd', ['www.example.com', 'www2.example.com', 'cp-1']],
  ['etcd:&kube_control_plane', ['etcd-1']],
  ['etcd:kube_control_plane:&etcd:!etcd-3', ['etcd-1', 'etcd-2']],
  ['etcd-*', ['etcd-1', 'etcd-2', 'etcd-3']],
  ['[ec]*-1', ['etcd-1', 'cp-1']],
  ['etcd-[!12]', ['etcd-3']],
  ['etcd-?', ['etcd-1', 'etcd-2', 'etcd-3']],
  ['*.example.com', ['www.example.com', 'www2.example.com']],
  ['~(etcd|cp)-1', ['etcd-1', 'cp-1']],
  ['~www\\d', ['www2.example.com']],
  ['etcd[0]', ['etcd-1']],
  ['etcd[-1]', ['etcd-3']],
  ['etcd[0:1]', ['etcd-1', 'etcd-2']],
  ['etcd[1:]', ['etcd-2', 'etcd-3']],
  ['cluster[3]', ['cp-1']],
  ['cp-1, etcd-1', ['cp-1', 'etcd-1']],
  ['web:etcd-2', ['www.example.com', 'www2.example.com', 'etcd-2']],
  ['et*:!etcd-1', ['etcd-2', 'etcd-3']],
  ['etcd:!etcd-1:!etcd-2', ['etcd-3']],
  ['etcd:!etcd-3:!etcd-1', ['etcd-2']],
  ['all:!web:!cp-1:!etcd-2', ['etcd-1', 'etcd-3']],
  ['cluster:&etcd:&kube_control_plane', ['etcd-1']],
  // Hosts that a group and a name stand for are counted twice.
  ['e*[1:]', ['etcd-2', 'etcd-3', 'etcd-1']],
  ['e*[-1]', ['etcd-3']],
  ['e*[5]', ['etcd-3']],
  ['etcd[1:0]', ['etcd-2']],
  ['etcd[0:0]', ['etcd-1']],
  ['etcd:!etcd[1:0]', ['etcd-1', 'etcd-3']],
  // By name: in the order of the file, not of `all`.
  ['~(www|etcd|cp).*', ['etcd-1', 'etcd-2', 'etcd-3', 'cp-1', 'www.example.com', 'www2.example.com']],
  ['*-1[0]', ['etcd-1']],
  ['[cw]*[-1]', ['www2.example.com']],
];
