/** Which of `candidates` a gate is asked about: those of the batch, or all when the batch holds none of them. */
export function gateHosts(
  batch: readonly string[],
  candidates: readonly { readonly host: string }[],
): readonly string[] {
  const wanted = new Set(batch);
  const all = candidates.map(({ host }) => host);
  const named = all.filter((host) => wanted.has(host));
  return named.length === 0 ? all : named;
}
