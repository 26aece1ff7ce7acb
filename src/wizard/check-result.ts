/** A check's result as inquirer wants it: `true`, or what is wrong and what was expected. */
export type CheckResult = true | string;
