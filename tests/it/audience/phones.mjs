// Forty phones and the teacher's page in a real browser. Fails with a message if a page isn't what it should be.
const [base, code, secret, phones] = process.argv.slice(2);
const {default: puppeteer} = await import(process.env.PUPPETEER);
const shots = process.env.KMSLAB_SHOTS;
const fail = text => { throw new Error(text); };
const browser = await puppeteer.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
});
const size = {width: 360, height: 640, deviceScaleFactor: 2, isMobile: true, hasTouch: true};
const open = async address => {
  // A context of its own: another phone, with another memory.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  page.on('pageerror', error => fail(`${address}: ${error}`));
  await page.setViewport(size);
  await page.goto(address);
  return page;
};
const text = (page, id) => page.$eval('#' + id, element => element.textContent);
const visible = (page, id) => page.waitForSelector('#' + id, {visible: true});
const shot = async (page, name) => { if (shots) await page.screenshot({path: `${shots}/${name}.png`}); };
// Everything fits into the width, and each button is large enough for a thumb.
const fits = async (page, name) => {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > size.width) fail(`${name} is ${wide} pixels wide`);
  const small = await page.$$eval('button', all => all.map(b => b.getBoundingClientRect().height).filter(h => h > 0 && h < 48));
  if (small.length) fail(`${name} has buttons of ${small} pixels`);
};

const room = [];
for (let phone = 0; phone < Number(phones); phone += 1) room.push(await open(`${base}/${code.toLowerCase()}`));
const teacher = await open(`${base}/${secret}`);
await Promise.all(room.map(page => visible(page, 'ask')));
await shot(room[0], 'ask');
await fits(room[0], 'the question');
if (!(await text(room[0], 'live')).startsWith('New question.')) fail('a screen reader hears nothing of the question');
await Promise.all(room.map((page, index) => page.click(`#answers li:nth-child(${1 + index % 3}) button`)));
await Promise.all(room.map(page => page.waitForFunction(() => document.querySelector('#live').textContent.startsWith('You voted'))));
const pressed = await room[0].$$eval('#answers button', all => all.map(b => b.getAttribute('aria-pressed')));
if (pressed.join() !== 'true,false,false,false' && pressed.join() !== 'true,false,false') fail(`pressed: ${pressed}`);
await shot(room[0], 'voted');
await fits(room[0], 'the question after a vote');
// A reload is no second vote, and the phone still knows its own.
await room[0].reload();
await visible(room[0], 'ask');
await room[0].waitForFunction(() => document.querySelector('[aria-pressed=true]'));
// The teacher's page closes the vote: the first press asks for a second.
await teacher.waitForFunction(phones => document.querySelector('#h-votes').textContent.includes(phones), {}, `${phones} of ${phones}`);
await fits(teacher, "the teacher's page");
await shot(teacher, 'teacher');
await teacher.click('#next');
await teacher.waitForFunction(() => !document.querySelector('#message').hidden);
await teacher.click('#next');
await Promise.all(room.map(page => visible(page, 'show')));
await shot(room[0], 'shown');
await fits(room[0], 'the answer');
const bars = await room[0].$$eval('#bars .row', rows => rows.map(row => row.querySelector('.bar > span').textContent));
if (bars.reduce((sum, votes) => sum + Number(votes), 0) !== Number(phones)) fail(`bars: ${bars}`);
if ((await room[0].$$('#bars .right')).length !== 1) fail('one answer is right');
const live = await text(room[0], 'live');
if (!live.startsWith('The answer is')) fail(`a screen reader hears ${live}`);
await teacher.click('#blank');
await visible(room[0], 'wait');
await shot(teacher, 'teacher-blank');
await shot(room[0], 'wait');
const focusable = await room[0].evaluate(() => document.documentElement.lang);
if (focusable !== 'en') fail(`the language is ${focusable}`);
await browser.close();
