// Opens a URL in headless Chromium: fetch.mjs URL [--trust HASH | --posted]
//
// With --posted, the page at URL posts a form by itself, and the answer to that is told.
// HASH is the SHA-256 of the public key (SPKI, base64) of the one certificate that is trusted besides the system's.
// `border` is the color at the left of the page's main part, which shows whether its style was applied.
// Prints one line of JSON: { status, title, text, border }, or { error } with Chromium's own name for it.

import { execFileSync } from 'node:child_process';

import { chromium } from 'playwright-core';

const [url, flag, hash] = process.argv.slice(2);
const args = flag === '--trust' ? [`--ignore-certificate-errors-spki-list=${hash}`] : [];
const browser = await chromium.launch({
  executablePath: execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim(),
  args,
});
let result;
try {
  const page = await browser.newPage();
  const isPosted = (response) => response.request().method() === 'POST';
  const [posted, opened] = await Promise.all([
    flag === '--posted' ? page.waitForResponse(isPosted, { timeout: 20_000 }) : undefined,
    page.goto(url, { timeout: 20_000, waitUntil: flag === '--posted' ? 'commit' : 'load' }),
  ]);
  const answer = posted ?? opened;
  if (posted) await page.waitForSelector('main', { timeout: 20_000 });
  result = {
    status: answer.status(),
    title: await page.title(),
    text: await page.innerText('body'),
    border: await page.$eval('main', (main) => getComputedStyle(main).borderLeftColor),
  };
} catch (error) {
  result = { error: /net::(\w+)/.exec(error.message)?.[1] ?? error.message };
} finally {
  await browser.close();
}
console.log(JSON.stringify(result));
