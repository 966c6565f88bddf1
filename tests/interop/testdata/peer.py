"""A TLS-PSK client or server: peer.py client PORT VERSION IDENTITY KEY, peer.py server http|reverse VERSION IDENTITY KEY.

The client is a pipe: its standard input goes to the server, what the server sends goes to its standard output, and
either may end first. The server prints `listening PORT`.
"""

import selectors
import socket
import ssl
import sys

ROLE, WHAT, VERSION, IDENTITY, KEY = sys.argv[1:]
KEY = bytes.fromhex(KEY)
CHUNK = 16384


def context(purpose):
    context = ssl.SSLContext(purpose)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = {
        "TLSv1.2": ssl.TLSVersion.TLSv1_2,
        "TLSv1.3": ssl.TLSVersion.TLSv1_3,
    }[VERSION]
    # Only suites with a key, and only those with an ephemeral exchange too. Without effect on TLS 1.3.
    context.set_ciphers("kECDHEPSK")
    return context


class Tls:
    """ssl.SSLObject over a socket: an SSLSocket cannot end one direction and go on with the other."""

    def __init__(self, context, connection, server_side):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side)
        while self.wants_more(self.object.do_handshake):
            self.receive()
        self.flush()

    def wants_more(self, step):
        try:
            step()
        except ssl.SSLWantReadError:
            self.flush()
            return True
        return False

    def flush(self):
        self.connection.sendall(self.outgoing.read())

    def receive(self):
        data = self.connection.recv(CHUNK)
        self.incoming.write(data) if data else self.incoming.write_eof()

    def read(self):
        """The data that has come, b"" for none yet, None for the end."""
        try:
            return self.object.read(CHUNK) or None
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            return None

    def read_to_end(self):
        whole = b""
        while (data := self.read()) is not None:
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


def client():
    options = context(ssl.PROTOCOL_TLS_CLIENT)
    options.verify_mode = ssl.CERT_NONE
    options.set_psk_client_callback(lambda hint: (IDENTITY, KEY))
    tls = Tls(options, socket.create_connection(("127.0.0.1", int(WHAT))), False)
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
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += tls.read()
        tls.receive() if not request.endswith(b"\r\n\r\n") else None
    page = b"a page of python\n"
    tls.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(page), page))


def reverse(tls):
    tls.write(tls.read_to_end()[::-1])


def server():
    options = context(ssl.PROTOCOL_TLS_SERVER)
    options.set_psk_server_callback(lambda identity: KEY if identity == IDENTITY else b"")
    answer = {"http": answer_http, "reverse": reverse}[WHAT]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("listening", listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                tls = Tls(options, connection, True)
                answer(tls)
                tls.end_writing()


{"client": client, "server": server}[ROLE]()
