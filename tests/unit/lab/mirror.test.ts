import { describe, expect, test } from '@jest/globals';
import { findMirror } from '../../../src/lab/mirror.js';

function mirrorOf(name: string, text: string): unknown {
  return findMirror(new Map([[name, text]]));
}

describe('findMirror', () => {
  test('reads deb822 stanzas, past comments and sources that are switched off', () => {
    const text = `# written by an installer
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Enabled: no

Types: deb
# URIs: http://comment.example/debian
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb deb-src
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main
`;
    expect(mirrorOf('debian.sources', text)).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://security.example/debian-security',
    });
  });

  test('reads one-line sources, with options and without', () => {
    const text = `# deb http://comment.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [signed-by=/k.gpg arch=amd64] http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
`;
    expect(mirrorOf('sources.list', text)).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://mirror.example/debian-security',
    });
  });

  test('without a security source it stands beside the main archive', () => {
    expect(mirrorOf('sources.list', 'deb http://mirror.example/debian trixie main\n')).toEqual({
      main: 'http://mirror.example/debian',
      security: 'http://mirror.example/debian-security',
    });
  });

  test.each([
    { name: 'sources.list', text: 'deb http://archive.example/ubuntu noble main\n' },
    { name: 'vendor.sources', text: 'Types: deb\nURIs: http://vendor.example/apt\nSuites: stable\n' },
    { name: 'sources.list', text: '' },
  ])('finds none in $text', ({ name, text }) => {
    expect(mirrorOf(name, text)).toBeUndefined();
  });
});
