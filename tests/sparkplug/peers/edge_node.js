// An edge node made with the npm sparkplug-client: says its births, and on a word on stdin sends data or loses a message.
const sparkplug = require('sparkplug-client');
const START = 1750000000000;
const TYPES = {
  i8: ['Int8', -1, -12], i16: ['Int16', 1, -30000], i32: ['Int32', 1, -2147483648], i64: ['Int64', 1, -5],
  u8: ['UInt8', 1, 250], u16: ['UInt16', 1, 65535], u32: ['UInt32', 1, 4294967295],
  u64: ['UInt64', 1, 9007199254740991], f: ['Float', 0.5, 1.5], d: ['Double', 0.25, -0.1],
  b: ['Boolean', false, true], s: ['String', 'before', '007 \u00e9'], n: ['Double', 1.0, null],
};
const client = sparkplug.newClient({
  serverUrl: `mqtt://127.0.0.1:${process.argv[2]}`, username: '', password: '', groupId: 'north', edgeNode: 'js',
  clientId: 'js-edge', version: 'spBv1.0', publishDeath: true,
});
const metrics = (column, timestamp) =>
  Object.entries(TYPES).map(([name, row]) => ({ name, type: row[0], value: row[column], timestamp }));

function births() {
  client.publishNodeBirth({
    timestamp: Date.now(), metrics: [{ name: 'Node Control/Rebirth', type: 'Boolean', value: false }],
  });
  client.publishDeviceBirth('mill', { timestamp: Date.now(), metrics: metrics(1, START) });
}

client.on('birth', () => { births(); console.log('born'); });
client.on('ncmd', (payload) => {
  if (payload.metrics.some((metric) => metric.name === 'Node Control/Rebirth' && metric.value)) {
    births();
    console.log('reborn');
  }
});
require('readline').createInterface({ input: process.stdin }).on('line', (word) => {
  if (word === 'stop') { client.stop(); process.stdin.destroy(); return; }
  if (word === 'gap') client.seq += 1;
  client.publishDeviceData('mill', {
    timestamp: Date.now(), metrics: metrics(2, START + (word === 'gap' ? 2000 : 1000)),
  }, { compress: word === 'packed' });
});
