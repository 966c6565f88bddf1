"""A TLS 1.2 peer whose pre-shared key is made anew in each handshake, on Python's ssl alone.

tpm_python.py tls client HOST:PORT, tpm_python.py tls server http|reverse, tpm_python.py tls derive; the rest are flags.

PSK = HMAC-SHA256(K, "pre master secret" || client_random || server_random); `random28` leaves out the first four bytes of
each random. K comes in hexadecimal digits as the first line of standard input.

The client is a pipe: the rest of its standard input goes to the server, what the server sends goes to its standard output,
and either may end first. The server prints `listening PORT`; each connection has a thread. `derive` reads lines of two
randoms and prints the PSK of each. Whatever happens to a handshake stands on standard error.

ssl shows no random to its callbacks, so they are read off the two hellos that pass, which in TLS 1.2 are through before
the callbacks are called.
"""

import argparse
import hmac
import selectors
import signal
import socket
import ssl
import sys
import threading

CHUNK = 16384
LIFETIME = 60  # seconds, then the whole process ends by SIGALRM
CLIENT_HELLO, SERVER_HELLO = 1, 2
RECORD_HEADER, HANDSHAKE_HEADER, RANDOM_LENGTH = 5, 4, 32
HANDSHAKE_RECORD = 22
EXTENDED_MASTER_SECRET = 23
# openssl/ssl.h, 3.0: ssl has no name for it.
SSL_OP_NO_EXTENDED_MASTER_SECRET = 1


def arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("transport", choices=["tls"])
    parser.add_argument("role", choices=["client", "server", "derive"])
    parser.add_argument("what", nargs="?", help="HOST:PORT, or http|reverse")
    parser.add_argument("--layout", choices=["random32", "random28"], required=True)
    parser.add_argument("--suite", help="OpenSSL's name of the one cipher suite")
    parser.add_argument("--identity")
    parser.add_argument("--timeout", type=int, default=30000, help="of a handshake, in milliseconds")
    parser.add_argument("--tls13", action="store_true", help="offer TLS 1.3 and nothing else")
    parser.add_argument("--no-extended-master-secret", action="store_true")
    return parser.parse_args()


ARGUMENTS = arguments()
# Byte by byte to the end of the line: what comes after it belongs to others.
KEY = bytes.fromhex(sys.stdin.buffer.raw.readline().decode())


def psk(client_random, server_random):
    skipped = {"random32": 0, "random28": 4}[ARGUMENTS.layout]
    data = b"pre master secret" + client_random[skipped:] + server_random[skipped:]
    return hmac.digest(KEY, data, "sha256")


class Hello:
    """The first message of one side, as it passes in the open."""

    def __init__(self, kind):
        self.kind, self.seen = kind, b""

    def pass_on(self, data):
        if len(self.seen) < CHUNK + RECORD_HEADER:
            self.seen += data
        return data

    def body(self):
        """The message without its header, or None where something else or nothing passed."""
        header, record = self.seen[:RECORD_HEADER], self.seen[RECORD_HEADER:]
        length = int.from_bytes(record[1:HANDSHAKE_HEADER])
        body = record[HANDSHAKE_HEADER : HANDSHAKE_HEADER + length]
        is_whole = len(record) >= HANDSHAKE_HEADER and len(body) == length
        return body if is_whole and (header[0], record[0]) == (HANDSHAKE_RECORD, self.kind) else None

    def random(self):
        body = self.body()
        if body is None:
            # TLS 1.3 asks for the key before there is a ServerHello. A careless implementation has zeros there.
            if ARGUMENTS.tls13:
                return bytes(RANDOM_LENGTH)
            raise ssl.SSLError("the key is asked for before both hellos")
        return body[2 : 2 + RANDOM_LENGTH]

    def extensions(self):
        """The extensions of a ServerHello, by number."""
        body = self.body()
        at = 2 + RANDOM_LENGTH
        at += 1 + body[at] + 2 + 1  # session, suite, compression
        rest = body[at + 2 :]
        found = set()
        while rest:
            found.add(int.from_bytes(rest[:2]))
            rest = rest[4 + int.from_bytes(rest[2:4]) :]
        return found


class Tls:
    """ssl.SSLObject over a socket: an SSLSocket cannot end one direction and go on with the other."""

    def __init__(self, connection, purpose):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client, server = Hello(CLIENT_HELLO), Hello(SERVER_HELLO)
        is_client = purpose == ssl.PROTOCOL_TLS_CLIENT
        self.sent, self.received = (client, server) if is_client else (server, client)
        # The callbacks belong to a context: each connection has its own.
        context = self.context(purpose, lambda: psk(client.random(), server.random()))
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side=not is_client)
        connection.settimeout(ARGUMENTS.timeout / 1000)
        try:
            while self.wants_more(self.object.do_handshake):
                self.receive()
        finally:
            self.flush()
        connection.settimeout(None)
        is_extended = EXTENDED_MASTER_SECRET in server.extensions()
        with_or_without = "with" if is_extended else "without"
        say(f"established {self.object.cipher()[0]} {with_or_without} extended master secret")

    def context(self, purpose, make_key):
        context = ssl.SSLContext(purpose)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        only = ssl.TLSVersion.TLSv1_3 if ARGUMENTS.tls13 else ssl.TLSVersion.TLSv1_2
        context.minimum_version = context.maximum_version = only
        context.set_ciphers(ARGUMENTS.suite)
        if ARGUMENTS.no_extended_master_secret:
            context.options |= SSL_OP_NO_EXTENDED_MASTER_SECRET
        if purpose == ssl.PROTOCOL_TLS_CLIENT:
            context.set_psk_client_callback(lambda hint: (ARGUMENTS.identity, make_key()))
        else:
            context.set_psk_server_callback(lambda name: make_key() if name == ARGUMENTS.identity else b"")
        return context

    def wants_more(self, step):
        try:
            step()
        except ssl.SSLWantReadError:
            self.flush()
            return True
        return False

    def flush(self):
        self.connection.sendall(self.sent.pass_on(self.outgoing.read()))

    def receive(self):
        data = self.received.pass_on(self.connection.recv(CHUNK))
        self.incoming.write(data) if data else self.incoming.write_eof()

    def read(self):
        """The data that has come, b"" for none yet, None for the end."""
        try:
            return self.object.read(CHUNK) or None
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            return None

    def read_until(self, is_enough):
        whole = b""
        while not is_enough(whole) and (data := self.read()) is not None:
            whole += data
            if not data:
                self.receive()
        return whole

    def write(self, data):
        self.object.write(data)
        self.flush()

    def end_writing(self):
        """Sends close_notify, whether or not the other side has."""
        self.wants_more(self.object.unwrap)
        self.flush()
        self.connection.shutdown(socket.SHUT_WR)


def say(line):
    print(line, file=sys.stderr, flush=True)


def client():
    host, port = ARGUMENTS.what.rsplit(":", 1)
    tls = Tls(socket.create_connection((host, int(port))), ssl.PROTOCOL_TLS_CLIENT)
    with selectors.DefaultSelector() as ready:
        ready.register(sys.stdin.buffer.raw, selectors.EVENT_READ, "stdin")
        ready.register(tls.connection, selectors.EVENT_READ, "tls")
        while True:
            for key, _ in ready.select():
                if key.data == "stdin":
                    if data := sys.stdin.buffer.raw.read(CHUNK):
                        tls.write(data)
                    else:
                        ready.unregister(key.fileobj)
                        tls.end_writing()
                else:
                    tls.receive()
                    while data := tls.read():
                        sys.stdout.buffer.write(data)
                    sys.stdout.buffer.flush()
                    if data is None:
                        return


def answer_http(tls):
    tls.read_until(lambda request: request.endswith(b"\r\n\r\n"))
    page = b"a page of python\n"
    tls.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(page), page))


def reverse(tls):
    tls.write(tls.read_until(lambda _: False)[::-1])


def serve(connection):
    answer = {"http": answer_http, "reverse": reverse}[ARGUMENTS.what]
    try:
        with connection:
            tls = Tls(connection, ssl.PROTOCOL_TLS_SERVER)
            answer(tls)
            tls.end_writing()
    except OSError as error:
        say(f"failed: {error}")


def server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("listening", listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=[connection], daemon=True).start()


def derive():
    for line in sys.stdin:
        print(psk(*map(bytes.fromhex, line.split())).hex(), flush=True)


signal.alarm(LIFETIME)
try:
    {"client": client, "server": server, "derive": derive}[ARGUMENTS.role]()
except OSError as error:
    say(f"failed: {error}")
    sys.exit(1)
