// Prints the milliseconds that importing a package takes in this process, which has loaded rxjs.
import 'rxjs';

const start = process.hrtime.bigint(); // performance.now() would load what some packages need
await import(process.argv[2]);
const time = process.hrtime.bigint() - start; // before process.stdout is looked at, which loads streams
process.stdout.write(String(Number(time) / 1e6));
