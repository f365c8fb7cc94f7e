// A PostgreSQL server of its own for a driver: the machine's programs, a temporary folder, a Unix socket. It does not run as root:
// where the driver does, the server gets the user `postgres` (Debian's package makes it).
import {chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {execFileSync, spawn} from 'node:child_process';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import pg from 'pg';

const root = '/usr/lib/postgresql';
const newest = existsSync(root) ? readdirSync(root).filter((name) => existsSync(join(root, name, 'bin/postgres'))).sort((a, b) => b - a)[0] : undefined;

// As its documentation advises for one machine with memory to spare. What a crash of the machine loses is not waited for, as with
// the other peers; plans are not compiled, for these queries are short.
const settings = {
    listen_addresses: '', shared_buffers: '2GB', effective_cache_size: '8GB', work_mem: '64MB', maintenance_work_mem: '2GB',
    fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: 0, max_wal_size: '8GB',
    random_page_cost: 1.1, jit: 'off', max_parallel_workers_per_gather: 0, autovacuum: 'off', logging_collector: 'off',
};
export const described = 'shared_buffers 2GB, work_mem 64MB, maintenance_work_mem 2GB, fsync off, jit off, one process a query, a Unix socket';

export class Server {
    /** Starts it, or ends the driver with the reason where there is none. */
    static async start() {
        if (!newest) {
            console.error(`no PostgreSQL in ${root}`);
            process.exit(1);
        }
        const server = new Server();
        server.bin = join(root, newest, 'bin');
        server.folder = mkdtempSync(join(tmpdir(), 'granary-peer-pg-'));
        const user = {};
        if (process.getuid() === 0) {
            user.uid = Number(execFileSync('id', ['-u', 'postgres']));
            user.gid = Number(execFileSync('id', ['-g', 'postgres']));
            chownSync(server.folder, user.uid, user.gid);
        }
        const data = join(server.folder, 'data');
        execFileSync(join(server.bin, 'initdb'), ['-D', data, '-U', 'peer', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8'],
            {...user, cwd: server.folder, stdio: ['ignore', 'ignore', 'inherit']});
        writeFileSync(join(data, 'postgresql.conf'), Object.entries({...settings, unix_socket_directories: server.folder})
            .map(([name, value]) => `${name} = '${value}'\n`).join(''));
        server.process = spawn(join(server.bin, 'postgres'), ['-D', data], {...user, cwd: server.folder, stdio: ['ignore', 'ignore', 'pipe']});
        server.ended = new Promise((done) => server.process.on('exit', done));
        let said = '';
        server.process.stderr.on('data', (text) => said = (said + text).slice(-2000));
        process.on('exit', () => server.process.kill('SIGQUIT'));
        for (let tries = 0; ; tries++) {
            try {
                await (await server.connect()).end();
                return server;
            } catch (error) {
                if (tries > 100 || server.process.exitCode !== null) {
                    console.error(said || error);
                    process.exit(1);
                }
                await new Promise((later) => setTimeout(later, 100));
            }
        }
    }

    async connect() {
        const client = new pg.Client({host: this.folder, user: 'peer', database: 'postgres'});
        client.on('error', () => {});
        await client.connect();
        return client;
    }

    get version() {
        return execFileSync(join(this.bin, 'postgres'), ['--version']).toString().split(' ')[2].trim();
    }

    /** Processor time of the server and of all its processes, those that ended included; the kernel counts it in hundredths. */
    processorSeconds() {
        const hundredths = (pid, first, count) => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
            .slice(first, first + count).reduce((sum, field) => sum + Number(field), 0);
        let sum = hundredths(this.process.pid, 11, 4);
        for (const pid of readFileSync(`/proc/${this.process.pid}/task/${this.process.pid}/children`, 'latin1').split(' ').filter(Boolean)) {
            try {
                sum += hundredths(pid, 11, 2);
            } catch {
                // It ended in between.
            }
        }
        return sum / 100;
    }

    async stop() {
        this.process.kill('SIGINT');
        await this.ended;
        rmSync(this.folder, {recursive: true, force: true});
    }
}
