// One keep-alive HTTP/1.1 connection that costs the client little: the requests are bytes made before the clock starts. The same
// for every server that is measured.
import {connect} from 'node:net';
import {once} from 'node:events';
import {readFileSync} from 'node:fs';

export class Connection {
    static async open(port) {
        const connection = new Connection();
        connection.socket = connect({port, host: '127.0.0.1', noDelay: true});
        await once(connection.socket, 'connect');
        connection.pieces = [];
        connection.socket.on('data', (piece) => connection.take(piece));
        connection.socket.on('error', (error) => connection.failed?.(error));
        connection.socket.on('close', () => {
            connection.closed = true;
            connection.failed?.(new Error('the server closed the connection'));
        });
        return connection;
    }

    /** The whole of a request, ready to be sent. */
    static request(method, path, body) {
        const content = Buffer.from(body === undefined ? '' : JSON.stringify(body));
        return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`
            + `Content-Length: ${content.length}\r\n\r\n`), content]);
    }

    /** Sends it and answers {status, body}. */
    send(request) {
        return new Promise((done, failed) => {
            Object.assign(this, {done, failed});
            this.socket.write(request);
        });
    }

    take(piece) {
        this.pieces.push(piece);
        const all = this.pieces.length === 1 ? piece : Buffer.concat(this.pieces);
        this.pieces = [all];
        const end = all.indexOf('\r\n\r\n');
        if (end < 0)
            return;
        const head = all.latin1Slice(0, end);
        const length = /content-length: (\d+)/i.exec(head);
        let body;
        if (length) {
            if (all.length < end + 4 + Number(length[1]))
                return;
            body = all.subarray(end + 4, end + 4 + Number(length[1]));
        } else if (/transfer-encoding: chunked/i.test(head)) {
            body = chunks(all, end + 4);
            if (body === undefined)
                return;
        } else {
            body = Buffer.alloc(0);
        }
        this.pieces = [];
        const done = this.done;
        done({status: Number(head.slice(9, 12)), body});
    }

    /** Sends JSON and answers JSON; what the server refuses is an error. */
    async json(method, path, body) {
        const {status, body: answer} = await this.send(Connection.request(method, path, body));
        if (status >= 300)
            throw new Error(`${method} ${path}: ${status} ${answer.toString().slice(0, 300)}`);
        return answer.length ? JSON.parse(answer.toString()) : undefined;
    }

    close() {
        this.socket.destroy();
    }
}

function chunks(all, from) {
    const parts = [];
    for (let at = from; ;) {
        const line = all.indexOf('\r\n', at);
        if (line < 0)
            return undefined;
        const size = parseInt(all.latin1Slice(at, line), 16);
        if (all.length < line + 2 + size + 2)
            return undefined;
        if (size === 0)
            return Buffer.concat(parts);
        parts.push(all.subarray(line + 2, line + 2 + size));
        at = line + 2 + size + 2;
    }
}

/** Connections by lane, opened when first asked for, and again when the server has closed one that was idle for too long. */
export class Pool {
    constructor(port) {
        Object.assign(this, {port, lanes: []});
    }

    async lane(number) {
        if ((await this.lanes[number])?.closed ?? true)
            this.lanes[number] = Connection.open(this.port);
        return this.lanes[number];
    }

    async open(count) {
        await Promise.all(Array.from({length: count}, (_, number) => this.lane(number)));
    }

    close() {
        this.lanes.forEach(async (connection) => (await connection).close());
    }
}

/** Processor time of another process, seconds; the kernel counts it in hundredths. */
export function processorSecondsOf(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
}
