"""A TLS client or server: peer.py client PORT VERSION CREDENTIALS, peer.py server http|reverse VERSION CREDENTIALS.

CREDENTIALS is IDENTITY KEY, a pre-shared key, or FOLDER, which holds key.pem, certificate.pem, ca.pem, at which the other
side's chain must end, and spki.der, the public key that the other side must show as well.

The client is a pipe: its standard input goes to the server, what the server sends goes to its standard output, and
either may end first. The server prints `listening PORT`.
"""

import selectors
import socket
import ssl
import sys

ROLE, WHAT, VERSION, *CREDENTIALS = sys.argv[1:]
CHUNK = 16384
HOST = "127.0.0.1"


def context(purpose):
    context = ssl.SSLContext(purpose)
    context.minimum_version = context.maximum_version = {
        "TLSv1.2": ssl.TLSVersion.TLSv1_2,
        "TLSv1.3": ssl.TLSVersion.TLSv1_3,
    }[VERSION]
    if len(CREDENTIALS) == 2:
        use_key(context, purpose, CREDENTIALS[0], bytes.fromhex(CREDENTIALS[1]))
    else:
        use_certificate(context, CREDENTIALS[0])
    return context


def use_key(context, purpose, identity, key):
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # Only suites with a key, and only those with an ephemeral exchange too. Without effect on TLS 1.3.
    context.set_ciphers("kECDHEPSK")
    if purpose == ssl.PROTOCOL_TLS_CLIENT:
        context.set_psk_client_callback(lambda hint: (identity, key))
    else:
        context.set_psk_server_callback(lambda name: key if name == identity else b"")


def use_certificate(context, folder):
    context.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
    context.load_verify_locations(f"{folder}/ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED


def check_peer(tls):
    """With a pre-shared key there is nothing left to check."""
    if len(CREDENTIALS) == 1:
        with open(f"{CREDENTIALS[0]}/spki.der", "rb") as spki:
            if spki.read() not in tls.getpeercert(binary_form=True):
                raise ssl.SSLError("the other side has another key")


class Tls:
    """ssl.SSLObject over a socket: an SSLSocket cannot end one direction and go on with the other."""

    def __init__(self, context, connection, server_side):
        self.connection = connection
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if server_side else HOST
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_side, name)
        while self.wants_more(self.object.do_handshake):
            self.receive()
        self.flush()
        check_peer(self.object)

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
    tls = Tls(options, socket.create_connection((HOST, int(WHAT))), False)
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
    answer = {"http": answer_http, "reverse": reverse}[WHAT]
    with socket.create_server((HOST, 0)) as listener:
        print("listening", listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                tls = Tls(options, connection, True)
                answer(tls)
                tls.end_writing()


{"client": client, "server": server}[ROLE]()
