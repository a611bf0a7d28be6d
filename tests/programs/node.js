// Children, workers, signals, files and timers of Node; each part says what came out of it.
const { spawn, spawnSync, execFile, fork } = require('child_process');
const { Worker } = require('worker_threads');
const fs = require('fs');
const net = require('net');

const steps = [];
const step = (name, run) => steps.push([name, run]);
const ended = (child) => new Promise((done) => child.on('close', (code, signal) => done(`${code} ${signal}`)));

step('spawnSync', async () => {
  const r = spawnSync('sh', ['-c', 'echo out; echo err >&2; exit 7']);
  return `${r.status} ${r.stdout}${r.stderr}`.trim().replace(/\n/g, ' ');
});
step('killed', async () => {
  const child = spawn('sleep', ['100']);
  child.kill('SIGTERM');
  return ended(child);
});
step('missing', () => new Promise((done) => spawn('/no/such').on('error', (e) => done(e.code))));
step('many', async () => {
  const all = await Promise.all([...Array(40).keys()].map((i) => ended(spawn('sh', ['-c', `exit ${i}`]))));
  return all.map((text) => parseInt(text, 10)).reduce((a, b) => a + b);
});
step('execFile', () => new Promise((done) => execFile('cat', ['/no/such'], (e) => done(e.code))));
step('workers', async () => {
  const one = () => new Promise((done) => {
    const code = "const fs=require('fs');let n=0;for(let i=0;i<500;i++){fs.closeSync(fs.openSync('/etc/passwd'));n++}require('worker_threads').parentPort.postMessage(n)";
    new Worker(code, { eval: true }).on('message', done);
  });
  return (await Promise.all([one(), one(), one(), one()])).join(' ');
});
step('signals', () => new Promise((done) => {
  let count = 0;
  // Waiting for a signal alone does not keep node running.
  const alive = setInterval(() => {}, 1000);
  process.on('SIGUSR2', () => {
    if (++count < 50) return process.kill(process.pid, 'SIGUSR2');
    clearInterval(alive);
    done(count);
  });
  process.kill(process.pid, 'SIGUSR2');
}));
step('sockets', () => new Promise((done) => {
  const path = `${process.cwd()}/socket`;
  const server = net.createServer((c) => c.pipe(c)).listen(path, () => {
    const client = net.connect(path, () => client.write('echo'));
    client.on('data', (d) => { client.end(); server.close(() => done(String(d))); });
  });
}));
step('files', async () => {
  await Promise.all([...Array(100).keys()].map((i) => fs.promises.writeFile(`f${i}`, String(i))));
  const names = await fs.promises.readdir('.');
  return names.filter((n) => /^f\d+$/.test(n)).length;
});
step('stdio', async () => {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (d) => { text += d; });
  child.stdin.end('x'.repeat(300000));
  return `${await ended(child)} ${text.length}`;
});

(async () => {
  for (const [name, run] of steps) console.log(`${name}: ${await run()}`);
  process.exitCode = 31;
})();
