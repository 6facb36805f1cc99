import { readFileSync } from 'node:fs';
import { memory, processorTime as cpu, start } from '../test/runtime.js';
const hello=await start({config:{name:'hello',main:'bench/hello.js',compatibility_date:'2026-09-01'}});
const ours=await start({configPath:'./wrangler.jsonc', prebuiltWorkerDir:'/tmp/wk/out'});
console.log('boot cpu',cpu(ours.pid).toFixed(0),memory(ours.pid),'hello',memory(hello.pid), cpu(hello.pid).toFixed(0));
const raw=new Uint8Array(65536);{const s=readFileSync('/tmp/wk/go.rgb');for(let i=0;i<16384;i++){raw[4*i]=s[3*i];raw[4*i+1]=s[3*i+1];raw[4*i+2]=s[3*i+2];raw[4*i+3]=255}}
const jpg=readFileSync('/tmp/wk/vga.jpg'),png=readFileSync('/tmp/wk/vga.png');
let n0=0;
const post=(u,b,t)=>()=>fetch(new URL(u,ours.direct),{method:'POST',body:b,headers:{'content-type':t,'cf-connecting-ip':String(n0++)}}).then(r=>r.status===200?r.text():r.text().then(t=>{throw t}));
{const c=cpu(ours.pid);await post('/api/classify',raw,'application/octet-stream')();console.log('first',(cpu(ours.pid)-c).toFixed(1))}
const rows={hello:[hello.pid,()=>fetch(hello.direct).then(r=>r.text())],helloraw:[hello.pid,()=>fetch(hello.direct,{method:'POST',body:raw}).then(r=>r.text())],health:[ours.pid,()=>fetch(new URL('/api/health',ours.direct)).then(r=>r.text())],raw:[ours.pid,post('/api/classify',raw,'application/octet-stream')],fast:[ours.pid,post('/api/classify?fast=1',raw,'application/octet-stream')],jpeg:[ours.pid,post('/api/classify',jpg,'image/jpeg')],png:[ours.pid,post('/api/classify',png,'image/png')]};
for(let rep=0;rep<3;rep++){const line=[];for(const k in rows){const [pid,f]=rows[k];const n=100;const c=cpu(pid),w=performance.now();for(let i=0;i<n;i++)await f();line.push(`${k} ${((cpu(pid)-c)/n).toFixed(2)} (wall ${((performance.now()-w)/n).toFixed(2)})`)}console.log(line.join(' | '))}
console.log('mem',memory(ours.pid));
await Promise.all(Array.from({length:20},post('/api/classify',jpg,'image/jpeg')));
console.log('mem after 20',memory(ours.pid));
for(const l of ours.harness.getLogs().slice(0,5))console.log(l);
await hello.harness.close();await ours.harness.close();
