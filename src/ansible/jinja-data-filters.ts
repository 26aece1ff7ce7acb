import { stringify } from 'yaml';
import { isMapping, type PythonValue } from '../model/python-value.js';
import { parseJson } from './json-values.js';
import { pythonJson, yamlNode } from './python-data.js';
import { pythonText } from './python-text.js';
import { fromRaw } from './raw-value.js';
import { startLog } from './source-text.js';
import { parseYaml } from './yaml-file.js';
import { valueOf } from './yaml-values.js';

/** A filter: the value, then its arguments; those given by name come as a last mapping. */
type DataFilter = (value: PythonValue, options?: PythonValue) => PythonValue;

function option(options: PythonValue, name: string): PythonValue | undefined {
  return isMapping(options) ? options[name] : undefined;
}

/** `json.dumps`, by which Ansible's to_json and Jinja2's tojson write. */
function toJsonText(
  value: PythonValue,
  options: PythonValue,
  defaults: { readonly indent?: number; readonly sortKeys?: boolean },
): string {
  const indent = option(options, 'indent') ?? defaults.indent;
  return pythonJson(value, {
    indent: typeof indent === 'number' ? indent : undefined,
    sortKeys: (option(options, 'sort_keys') ?? defaults.sortKeys) === true,
    unicode: option(options, 'ensure_ascii') === false,
  });
}

/** Jinja2's htmlsafe_json_dumps. */
function htmlSafe(json: string): string {
  return json.replace(/[<>&']/g, (unit) => `\\u00${unit.charCodeAt(0).toString(16)}`);
}

/** Texts that PyYAML would read as something else are in quotes: `yes`, `1:30`, `2020-01-01`. Keys are sorted. */
const AS_PYYAML = { version: '1.1', schema: 'yaml-1.1', singleQuote: true, sortMapEntries: true } as const;

function toYaml(value: PythonValue, indent?: PythonValue): string {
  return stringify(yamlNode(value), { ...AS_PYYAML, ...(typeof indent === 'number' && { indent }) });
}

/** As PyYAML reads it, which is how Ansible does. */
function fromYaml(text: string): PythonValue {
  const file = parseYaml({ file: 'from_yaml', text, confidential: false }, startLog('/'));
  return fromRaw(valueOf(file, file.root));
}

/** The filters that write and read JSON and YAML. */
export const DATA_FILTERS: Readonly<Record<string, DataFilter>> = {
  tojson: (value, options = null) => htmlSafe(toJsonText(value, options, { sortKeys: true })),
  to_json: (value, options = null) => toJsonText(value, options, {}),
  to_nice_json: (value, options = null) => toJsonText(value, options, { indent: 4, sortKeys: true }),
  from_json: (value) => parseJson(pythonText(value)),
  to_yaml: (value) => toYaml(value),
  to_nice_yaml: (value, options = null) => toYaml(value, option(options, 'indent') ?? 4),
  from_yaml: (value) => fromYaml(pythonText(value)),
};
