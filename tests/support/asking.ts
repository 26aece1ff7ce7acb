import type { TestLab } from './lab.js';

/** What of `curl` each request is made with. */
export interface Asking {
  /** Host that asks. */
  readonly from: string;
  readonly url: string;
  /** Of curl. */
  readonly options: string;
  /** Lines that are run before the first request. */
  readonly before?: string;
}

/** client-go's own time for a connection: who gives up earlier takes a wait for a failure. In seconds. */
const LIMIT_S = 30;

/** Asks ten times a second, newly each time, until {@link askedSoFar}. */
export async function startAsking(lab: TestLab, { from, url, options, before = '' }: Asking): Promise<void> {
  const request = `curl -sS ${options} -m ${LIMIT_S} -o /dev/null -w '%{http_code} %{time_total}\\n' ${url}`;
  const ended = await lab.ssh(
    from,
    `cat >/run/asking.sh <<'END'
${before}
while :; do ${request}; sleep 0.1; done
END
rm -f /run/asked; systemd-run --quiet --unit asking -p StandardOutput=file:/run/asked sh /run/asking.sh`,
  );
  if (ended.status !== 0) throw new Error(ended.stderr);
}

/** Ends it. @returns `812 200, longest 0.9 s`: how often each answer came, how long the slowest request took, and what curl said where none came */
export async function askedSoFar(lab: TestLab, from: string): Promise<string> {
  const count = '$1 == "curl:" { said = said "; " $0; next } { times[$1]++; if ($2 + 0 > most) most = $2 + 0 }';
  const print =
    'END { for (each in times) printf "%d %s, ", times[each], each; printf "longest %.1f s%s\\n", most, said }';
  const ended = await lab.ssh(from, `systemctl stop asking; awk '${count} ${print}' /run/asked`);
  if (ended.status !== 0) throw new Error(ended.stderr);
  return ended.stdout.trim();
}

/** Every request was answered with 200. */
export const ALL_ANSWERED = /^\d+ 200, longest \d+\.\d s$/;
