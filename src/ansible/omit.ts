/**
 * The value of Ansible's `omit`: a parameter of a task that has it is left out, `mode: "{{ mode | default(omit) }}"`. As in Ansible
 * a text that nobody would write; here the same in every run, as plans are compared.
 */
export const OMIT = '__omit_place_holder__4b7f3d0e6c1a4f2b9d8e5a7c0f3b6d9e2a5c8f1b';

/** Why it is refused where there is no parameter to leave out. */
export const OMIT_ELSEWHERE =
  'uses `omit` where there is nothing to leave out: it is the value of a parameter of a task, `"{{ NAME | default(omit) }}"`, and of nothing else';

/** Whether a value is, or holds, {@link OMIT}. */
export function holdsOmit(value: unknown): boolean {
  if (typeof value === 'string') return value.includes(OMIT);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsOmit);
}
