import { check, failed, type Fault } from '../check.ts';
import type { Answer } from '../client.ts';
import type { Context } from '../context.ts';
import { locate } from '../locate.ts';
import type { Check } from '../report.ts';
import type { RouteCheck } from '../routes/route-check.ts';
import { ROUTES } from '../routes/table.ts';
import { createSamples, fill, type Sample, type Samples } from '../samples.ts';
import { isObject, isText, parseObject } from '../shape.ts';

/** Every route answers an anonymous visitor as it should, and the table knows every route that there is. */
export async function run(context: Context): Promise<Check[]> {
  const { client } = context;
  const samples = createSamples(await context.reader());
  const mode = client.get('/_deploy/status').then(({ body }) => parseObject(body)?.['mode'] === true);
  mode.catch(() => {}); // each check below awaits it
  return Promise.all([
    ...ROUTES.map((route) => checkRoute(context, route, samples, mode)),
    ...(await compareTable(context)),
  ]);
}

function checkRoute(
  { client, direct }: Context,
  route: RouteCheck,
  samples: Samples,
  mode: Promise<boolean>,
): Promise<Check> {
  return check(`${route.method} ${route.path}`, expectation(route), async () => {
    const sample = await samples(route.sample);
    const path = fill(route.path, sample.parameters) + route.query;
    const answer =
      route.method === 'GET' ? await client.get(path) : await client.ask(route.method, path, route.body);
    const statuses = route.hidden === true && !direct ? [404] : acceptable(route, sample, await mode);
    const actual = judge(route, statuses, answer);
    if (actual === null) return null;
    const at = path === route.path ? '' : ` for ${path}`;
    return {
      actual: actual + at,
      hint: hintFor(answer),
      location: () => locateRoute(`${route.method} ${route.path}`),
    };
  });
}

function expectation({ statuses, to, type, text }: RouteCheck): string {
  const parts = [statuses.join(' or ')];
  if (to !== null) parts.push(`to ${to}`);
  if (type !== null) parts.push(type);
  if (text !== null) parts.push(`with "${text}"`);
  return parts.join(' ');
}

/** A row that is not there is 404 to whoever may look; while the instance is verified, no write gets past the door. */
function acceptable({ method, path, statuses, to }: RouteCheck, { found }: Sample, mode: boolean): number[] {
  const ownDoor = path.startsWith('/_deploy/');
  if (method !== 'GET') return mode && !ownDoor ? [503] : found ? statuses : [...statuses, 404];
  return found || to === '/login/' ? statuses : [404];
}

function judge({ to, type, text }: RouteCheck, statuses: number[], answer: Answer): string | null {
  const { status, headers, body } = answer;
  if (!statuses.includes(status)) return `gave ${status}`;
  if (status === 404) return null;
  if (to !== null && headers.location?.startsWith(to) !== true)
    return `gave ${status} to ${headers.location ?? 'nowhere'}`;
  if (type !== null && answer.type !== type) return `came as ${answer.type || 'no type at all'}`;
  return text !== null && !body.includes(text) ? `lacks "${text}"` : null;
}

function hintFor({ status }: Answer): string {
  if (status >= 500) return "look into the instance's log for that request";
  if (status === 404) return 'the route is gone, or does not find its row';
  return 'mend the route, or what verify/routes/ expects of it';
}

/** The application hides its routes from those who come through the front door. */
async function compareTable({ client, direct }: Context): Promise<Promise<Check>[]> {
  const name = 'the table of routes';
  const expected = 'knows every route of the application';
  let answer: Answer;
  try {
    answer = await client.get('/_deploy/routes');
  } catch {
    return []; // GET /_deploy/routes is a check of its own
  }
  if (answer.status === 404 && !direct) return [];
  const live = parseRoutes(answer.body);
  if (live === null) {
    const hint = 'expected {"routes": [{"method", "path"}]}';
    return [
      Promise.resolve(
        failed(name, expected, { actual: 'could not be compared: GET /_deploy/routes lists none', hint }),
      ),
    ];
  }
  return difference(live).map(([subject, fault]) => Promise.resolve(failed(subject, expected, fault)));
}

function parseRoutes(body: string): string[] | null {
  const routes = parseObject(body)?.['routes'];
  if (!Array.isArray(routes)) return null;
  return routes.flatMap((route: unknown) =>
    isObject(route) && isText(route['method']) && isText(route['path'])
      ? [`${route['method']} ${route['path']}`]
      : [],
  );
}

function difference(live: string[]): [string, Fault][] {
  const known = ROUTES.map(({ method, path }) => `${method} ${path}`);
  const unknown = live.filter((route) => !known.includes(route));
  const gone = known.filter((route) => !live.includes(route));
  return [
    ...unknown.map((route): [string, Fault] => [
      route,
      {
        actual: 'has no check',
        hint: 'add it to the file of its kind in verify/routes/',
        location: () => locateRoute(route),
      },
    ]),
    ...gone.map((route): [string, Fault] => [
      route,
      {
        actual: 'has disappeared',
        hint: 'bring the route back, or take its check away',
        location: () => locateIn('verify/routes', route),
      },
    ]),
  ];
}

/** Where a route is declared, and not where something else leads to it. */
function locateRoute(route: string): string | null {
  const [method = '', path = ''] = route.split(' ');
  return locate('app', `${method.toLowerCase()}('${path}'`) ?? locateIn('app', route);
}

function locateIn(folder: string, route: string): string | null {
  return locate(folder, `'${route.split(' ')[1] ?? ''}'`);
}
