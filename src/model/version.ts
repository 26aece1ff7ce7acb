/** The version of this program; that of package.json (tests/unit/model/version.test.ts). */
export const VERSION = '0.1.0';
