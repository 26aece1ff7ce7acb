import { describe, expect, test } from '@jest/globals';
import { requireName } from '../../../src/commands/require-name.js';
import type { Cluster } from '../../../src/model/cluster.js';
import { SAMPLE_CLUSTER, SAMPLE_SERVICE } from '../../support/sample-cluster.js';

const VIP = SAMPLE_SERVICE.endpoint.ip;

const ofName = (token: string): Cluster => ({ ...SAMPLE_CLUSTER, services: [SAMPLE_SERVICE], token });

const nobody = (): Promise<never> => Promise.reject(new Error('another question'));

/** What is asked for, and how it ends with an answer. */
async function asked(
  cluster: Cluster,
  answer: string,
  confirm?: string,
): Promise<{ readonly questions: readonly string[]; readonly error: unknown }> {
  const questions: string[] = [];
  const typed = async (question: string, otherWay: string): Promise<string> => {
    questions.push(question, otherWay);
    return Promise.resolve(answer);
  };
  const ask = { typed, secret: nobody, passphrase: nobody, confirm: nobody };
  const error = await requireName(cluster, { confirm, yes: confirm !== undefined }, { ask }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return { questions, error };
}

describe('before the data of a cluster is replaced', () => {
  test('its name is typed, where the inventory sets one', async () => {
    expect(await asked(ofName('prod'), 'prod')).toEqual({
      questions: ['Type prod, the name of the cluster, to go on', 'give --yes --confirm prod'],
      error: undefined,
    });
  });

  test('its virtual IP is typed, where its name is the one that most clusters have', async () => {
    expect(await asked(ofName('etcd-cluster'), VIP)).toEqual({
      questions: [`Type ${VIP}, where clients reach the cluster, to go on`, `give --yes --confirm ${VIP}`],
      error: undefined,
    });
  });

  test('without a balancer, the address of a member', async () => {
    const { questions } = await asked({ ...ofName('etcd-cluster'), services: [] }, '');
    expect(questions[0]).toContain('Type 10.0.0.1, where clients reach the cluster');
  });

  test('white space around it is none of it', async () => {
    expect((await asked(ofName('etcd-cluster'), ` ${VIP}\n`)).error).toBeUndefined();
  });

  test('without --yes, --confirm is no yes: its help says so', async () => {
    const ask = { typed: async () => VIP, secret: nobody, passphrase: nobody, confirm: nobody };
    await expect(requireName(ofName('etcd-cluster'), { confirm: VIP }, { ask })).rejects.toMatchObject({
      code: 'declined',
      hint: `give --yes --confirm ${VIP}; or leave --confirm out, and type it`,
    });
  });

  test('nothing is asked where it is given', async () => {
    expect(await asked(ofName('etcd-cluster'), '', VIP)).toEqual({ questions: [], error: undefined });
  });

  test.each([
    ['the name that all clusters have', 'etcd-cluster'],
    ['the place of another cluster', '10.9.9.9'],
    ['nothing', ''],
  ])('%s is no yes', async (_, answer) => {
    const declined = {
      code: 'declined',
      message: `declined: ${answer === '' ? 'nothing' : `"${answer}"`} is not ${VIP}, where clients reach the cluster: nothing was changed`,
      hint: `look at which cluster the inventory describes; without a terminal: --yes --confirm ${VIP}`,
    };
    expect((await asked(ofName('etcd-cluster'), answer)).error).toMatchObject(declined);
    expect((await asked(ofName('etcd-cluster'), VIP, answer)).error).toMatchObject(declined);
  });
});
