// Keeps the page as it would be after a reload: at each change of what runs, otherwise every ten seconds.
const QUIET_MS = 10_000;

async function renew() {
  const response = await fetch(location.href, { headers: { Accept: 'text/html' } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main');
  const main = document.querySelector('main');
  if (!fresh || !main || fresh.innerHTML === main.dataset.shown) return;
  const open = new Map([...main.querySelectorAll('details')].map((each, index) => [index, each.open]));
  const listens = main.dataset.live;
  main.replaceChildren(...fresh.cloneNode(true).childNodes);
  main.dataset.shown = fresh.innerHTML;
  main.dataset.live = fresh.dataset.live;
  for (const [index, each] of main.querySelectorAll('details').entries())
    each.open = open.get(index) ?? each.open;
  if (main.dataset.live !== listens) listen();
}

let sources = [];

function listen() {
  for (const source of sources) source.close();
  const addresses = (document.querySelector('main')?.dataset.live ?? '').split(' ').filter(Boolean);
  sources = addresses.map((address) => {
    const source = new EventSource(address);
    for (const event of ['deployment', 'end']) source.addEventListener(event, soon);
    source.addEventListener('end', () => source.close());
    return source;
  });
}

let planned;

function soon() {
  clearTimeout(planned);
  planned = setTimeout(() => void renew().catch(() => undefined), 100);
}

listen();
setInterval(() => document.hidden || soon(), QUIET_MS);
