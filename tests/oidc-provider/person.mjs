// The user with a browser, as a script.
//
//   node person.mjs URL [--user alice] [--password P] [--deny | --deny=login|consent|device]
//                       [--user-code CODE] [--set name=value]... [--unset name]... [--no-callback]
//
// It opens URL, follows redirects, types the user code if a page asks for it, signs in, allows (or
// denies: at the consent page unless told where), and follows the last redirect to the client's
// listener: any loopback http URL that is not of the first URL's origin. The password is
// "USER's password" unless given. --set and --unset change query parameters of URL before it is
// opened; --no-callback reports where the listener would be asked and does not ask it.
//
// It prints one line of JSON and exits with 0 whatever the outcome (2: it was called wrongly):
//   outcome   approved  a code for the client, or the device was allowed
//             denied    access_denied for the client, or the device was refused
//             refused   the provider said no: an error page or code, a wrong password or user code
//             failed    it got no further; "error" tells why
//   callback  the last URL at the listener, or null
//   status    the listener's status, or null
//   body      the listener's answer, or null
//   page      the text of the provider's last page, if it ended on one, or null
//   page_status  the status of that page, or null
//   error     what went wrong, or null
// A listener that does not answer changes no outcome: "error" tells it, and status is null.
//
// NODE_EXTRA_CA_CERTS names the certificate authority of an https provider.

import { parseArgs } from 'node:util';

const STEPS = 20;
const REQUEST_MS = 10_000;

function usage(message) {
  console.error(`person: ${message}`);
  process.exit(2);
}

function readArguments() {
  let parsed;
  try {
    // A bare --deny means the consent page; parseArgs would want a value there.
    const args = process.argv.slice(2).map((arg) => (arg === '--deny' ? '--deny=consent' : arg));
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        user: { type: 'string', default: 'alice' },
        password: { type: 'string' },
        deny: { type: 'string' },
        'user-code': { type: 'string' },
        set: { type: 'string', multiple: true, default: [] },
        unset: { type: 'string', multiple: true, default: [] },
        'no-callback': { type: 'boolean', default: false },
      },
    });
  } catch (err) {
    usage(err.message);
  }
  const { values, positionals } = parsed;
  if (positionals.length !== 1 || !URL.canParse(positionals[0])) usage('give one URL');
  if (values.deny !== undefined && !['login', 'consent', 'device'].includes(values.deny)) {
    usage('--deny takes login, consent or device');
  }
  const url = new URL(positionals[0]);
  for (const name of values.unset) url.searchParams.delete(name);
  for (const pair of values.set) {
    const at = pair.indexOf('=');
    if (at < 1) usage('--set takes name=value');
    url.searchParams.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return { ...values, url, password: values.password ?? `${values.user}'s password` };
}

// Cookies, kept per origin and path: the provider uses one name on several paths.
class Cookies {
  #jar = new Map();

  store(url, response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const at = pair.indexOf('=');
      const attribute = (name) => attributes
        .find((part) => part.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
      const name = pair.slice(0, at);
      const path = attribute('path') ?? '/';
      const key = `${url.origin} ${path} ${name}`;
      const maxAge = attribute('max-age');
      const over = maxAge !== undefined ? Number(maxAge) <= 0 : new Date(attribute('expires')) <= new Date();
      if (over) this.#jar.delete(key);
      else this.#jar.set(key, { origin: url.origin, path, name, value: pair.slice(at + 1) });
    }
  }

  header(url) {
    return [...this.#jar.values()]
      .filter(({ origin, path }) => origin === url.origin
        && (url.pathname === path || url.pathname.startsWith(path.endsWith('/') ? path : `${path}/`)))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ');
  }
}

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const decode = (text) => text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));/gi, (all, hex, decimal, name) => {
  if (hex) return String.fromCodePoint(parseInt(hex, 16));
  if (decimal) return String.fromCodePoint(Number(decimal));
  return NAMED[name] ?? all;
});

const textOf = (html) => decode(html
  .replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ')
  .replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();

function attributesOf(tag) {
  const found = {};
  for (const [, name, a, b, c] of tag.matchAll(/\s([\w.-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    found[name.toLowerCase()] ??= decode(a ?? b ?? c ?? '');
  }
  return found;
}

// The first form of a page: these pages never have two.
function formOf(html, url) {
  const form = /<form\b[^>]*>/i.exec(html);
  if (!form) return undefined;
  const { action, method = 'get' } = attributesOf(form[0]);
  // A button may stand outside its form, so all controls of the page are taken.
  const controls = [...html.matchAll(/<(?:input|button)\b[^>]*>/gi)].map(([tag]) => attributesOf(tag));
  const inputs = controls.filter(({ name, type }) => name && type !== 'submit');
  return {
    action: new URL(action || url, url),
    method: method.toUpperCase(),
    fields: new Map(inputs.map(({ name, value = '' }) => [name, value])),
    typed: (name) => inputs.some((input) => input.name === name && input.type !== 'hidden'),
    buttons: new Set(controls.filter(({ type }) => type === 'submit').map(({ name }) => name).filter(Boolean)),
  };
}

// Fills a form in; says why if it cannot.
function fill(form, options) {
  const { fields, buttons } = form;
  const press = (button) => {
    if (!buttons.has(button)) throw new Error(`the page has no button to deny: ${button}`);
    fields.set(button, 'yes');
  };
  if (fields.has('password')) {
    fields.set('user', options.user);
    fields.set('password', options.password);
    if (options.deny === 'login') press('deny');
  } else if (form.typed('user_code')) {
    if (options['user-code'] === undefined) throw new Error('the page asks for a user code and none was given');
    fields.set('user_code', options['user-code']);
  } else if (fields.has('confirm')) {
    if (options.deny === 'device') press('abort');
  } else if (fields.has('consent')) {
    if (options.deny === 'consent') press('deny');
  } else if ([...fields.keys()].some(form.typed)) {
    throw new Error(`the page asks for something unknown: ${[...fields.keys()].join(', ')}`);
  }
  // A form with hidden fields only is sent as it is: a browser's script would do that.
}

const isLoopback = ({ hostname }) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

// What the provider tells the client.
function outcomeOf(parameters) {
  if (parameters.get('error') === 'access_denied') return 'denied';
  if (parameters.has('error')) return 'refused';
  return parameters.has('code') ? 'approved' : 'failed';
}

async function ask(cookies, { url, method, form }) {
  const cookie = cookies.header(url);
  const response = await fetch(url, {
    method,
    body: form,
    redirect: 'manual',
    signal: AbortSignal.timeout(REQUEST_MS),
    headers: { accept: 'text/html', ...(cookie && { cookie }) },
  });
  cookies.store(url, response);
  return { response, text: await response.text() };
}

// fetch hides the reason in its cause.
const reason = (err) => [err.message, err.cause?.message || err.cause?.code].filter(Boolean).join(': ');

async function browse(options, report) {
  const cookies = new Cookies();
  const provider = options.url.origin;
  let next = { url: options.url, method: 'GET' };

  for (let step = 0; step < STEPS; step += 1) {
    const { url } = next;
    const atClient = url.protocol === 'http:' && isLoopback(url) && url.origin !== provider;

    if (atClient) {
      if (report.callback === null) report.outcome = outcomeOf(next.form ?? url.searchParams);
      report.callback = url.href;
      if (options['no-callback']) return;
    } else if (url.origin !== provider) {
      throw new Error(`sent elsewhere: ${url.href}`);
    }

    const { response, text } = await ask(cookies, next);
    const location = response.headers.get('location');
    if (response.status >= 300 && response.status < 400 && location) {
      const keep = response.status === 307 || response.status === 308;
      next = { ...(keep ? next : { method: 'GET' }), url: new URL(location, url) };
      continue;
    }

    if (report.callback !== null) {
      report.status = response.status;
      report.body = text;
      return;
    }

    report.page = textOf(text);
    report.page_status = response.status;
    const told = /<body[^>]* data-outcome="(\w+)"/.exec(text)?.[1];
    const form = formOf(text, url);
    // A response by POST is a form for the listener, also with the status of an error.
    const forClient = form && form.action.origin !== provider;
    if (told || (response.status >= 400 && !forClient)) {
      report.outcome = told ?? 'refused';
      return;
    }
    if (!form) throw new Error('the page has no form and tells no outcome');
    fill(form, options);
    const values = new URLSearchParams([...form.fields]);
    if (form.method === 'POST') {
      next = { url: form.action, method: 'POST', form: values };
    } else {
      form.action.search = values;
      next = { url: form.action, method: 'GET' };
    }
    report.page = null;
    report.page_status = null;
  }
  throw new Error(`not done after ${STEPS} steps`);
}

const options = readArguments();
const report = {
  outcome: 'failed', callback: null, status: null, body: null, page: null, page_status: null, error: null,
};
try {
  await browse(options, report);
} catch (err) {
  report.error = reason(err);
}
// An open connection must not keep the script alive.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
