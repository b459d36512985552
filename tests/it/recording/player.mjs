// Plays a recording with asciinema's player, without a browser, and stops at each of its markers.
// node player.mjs DIST FILE: prints {duration, markers: [[time, label, what the screen got since the marker before]]}.
import { readFileSync, readdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [dist, file] = process.argv.slice(2);
const core = readdirSync(dist).find(name => /^core-.*\.js$/.test(name));
const { C: Core } = await import(pathToFileURL(`${dist}/${core}`));
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const player = new Core({ data: readFileSync(file, 'utf8') }, { logger: silent, speed: 1 });
let markers, shown = '';
player.addEventListener('metadata', about => { markers = about.markers; });
player.addEventListener('output', data => { shown += [data].flat().join(''); });
player.terminalReady();
await player.init();
await player.play();
await player.pause();
const stops = [];
for (const [index, [, label]] of markers.entries()) {
  await player.seek({ marker: index });
  stops.push([player.getCurrentTime(), label, shown]);
  shown = '';
}
// The player's clock would keep the process.
process.stdout.write(JSON.stringify({ duration: player.getDuration(), markers: stops }), () => process.exit(0));
