import { assertFree } from '../../host/ports.ts';
import { oneLine } from '../../problem.ts';
import { bad, good, type Examine, type Subject } from '../check.ts';

const ANSWER_MS = 5000;

/** The deployer's address and each front door's: ours, or free. */
export const addresses: Examine = async (subject) => {
  const own = subject.settings ? [{ listen: address(subject.settings.listen), name: 'the deployer' }] : [];
  const doors = subject.live.flatMap(({ environment, config }) =>
    config ? [{ listen: config.listen, name: environment }] : [],
  );
  return Promise.all([...own.map(deployers), ...doors.map((door) => frontDoor(door))]);
};

interface Door {
  listen: string;
  name: string;
}

async function deployers({ listen }: Door) {
  const isOurs = (await fetched(listen, '/healthz'))?.status === 200;
  return isOurs ? good(`address ${listen}`, 'the deployer') : ifFree(listen, 'DEPLOYER_LISTEN');
}

/** A live environment answers there; before, whoever answers is no friend. */
async function frontDoor({ listen, name }: Door) {
  const answer = await fetched(listen, '/_deploy/health');
  const title = `address ${listen} of ${name}`;
  if (answer !== null && answer.status < 500) return good(title, `answers ${answer.status}`);
  const actual = answer === null ? 'no answer' : `answers ${answer.status}`;
  const hint = `deployer status ${name} says what is live there; is the front door running, and on this address?`;
  return bad(title, { expected: 'answers', actual, hint, location: `environments/${name}.yaml: listen` });
}

async function ifFree(listen: string, location: string) {
  const name = `address ${listen}`;
  try {
    await assertFree(listen);
    return good(name, 'free');
  } catch (error) {
    const hint = `ss -ltnp shows which program has it: stop that, or change ${location}`;
    return bad(name, { expected: 'ours or free', actual: oneLine(error), hint, location });
  }
}

async function fetched(listen: string, path: string): Promise<Response | null> {
  try {
    return await fetch(`http://${listen}${path}`, {
      signal: AbortSignal.timeout(ANSWER_MS),
      redirect: 'manual',
    });
  } catch {
    return null;
  }
}

function address({ host, port }: NonNullable<Subject['settings']>['listen']): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
