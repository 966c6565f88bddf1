"""A TLS 1.2 or DTLS 1.2 peer whose pre-shared key is made anew in each handshake, on GnuTLS.

tpm_gnutls.py tls|dtls client HOST:PORT, tpm_gnutls.py tls server http|reverse, tpm_gnutls.py dtls server echo,
tpm_gnutls.py tls|dtls derive; the rest are flags.

PSK = HMAC-SHA256(K, "pre master secret" || client_random || server_random); `random28` leaves out the first four bytes of
each random. K comes in hexadecimal digits as the first line of standard input.

Over TLS the client is a pipe: the rest of its standard input goes to the server, what the server sends goes to its standard
output, and either may end first. Over DTLS it sends each line as a datagram and prints the datagram that comes back. The
server prints `listening PORT`; each connection has a thread. `derive` reads lines of two randoms and prints the PSK of each.
Whatever happens to a handshake stands on standard error.

gnutls-cli knows fixed keys only, so the library is called, for the HMAC as well: nothing of this file and of its siblings
is computed by the same code.
"""

import argparse
import ctypes
import signal
import socket
import sys
import threading

CHUNK = 16384
LIFETIME = 60  # seconds, then the whole process ends by SIGALRM
MTU = 1400

# gnutls/gnutls.h, gnutls/crypto.h and gnutls/dtls.h, 3.7.
SERVER, CLIENT, DATAGRAM = 1, 2, 4
CREDENTIALS_PSK = 4
MAC_SHA256 = 6
SHUT_WR = 1
COOKIE_KEY_SIZE = 16
UNKNOWN_IDENTITY = 1
FATAL_ALERT_RECEIVED = -12


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]

    def bytes(self):
        return ctypes.string_at(self.data, self.size)


class Prestate(ctypes.Structure):
    _fields_ = [("record_seq", ctypes.c_uint), ("read_seq", ctypes.c_uint), ("write_seq", ctypes.c_uint)]


ALLOCATE = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)
CLIENT_KEY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Datum), ctypes.POINTER(Datum))
SERVER_KEY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(Datum))
PUSH = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)

GNUTLS = ctypes.CDLL("libgnutls.so.30")
GNUTLS.gnutls_strerror.restype = ctypes.c_char_p
GNUTLS.gnutls_alert_get_name.restype = ctypes.c_char_p
GNUTLS.gnutls_ciphersuite_get.restype = ctypes.c_char_p
GNUTLS.gnutls_record_send.restype = ctypes.c_ssize_t
GNUTLS.gnutls_record_recv.restype = ctypes.c_ssize_t
# A variable that holds a function: what is allocated with it, the library frees.
MALLOC = ALLOCATE.in_dll(GNUTLS, "gnutls_malloc")


def arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("transport", choices=["tls", "dtls"])
    parser.add_argument("role", choices=["client", "server", "derive"])
    parser.add_argument("what", nargs="?", help="HOST:PORT, or http|reverse|echo")
    parser.add_argument("--layout", choices=["random32", "random28"], required=True)
    parser.add_argument("--suite", help="the one key exchange, cipher and MAC, as in a priority string")
    parser.add_argument("--identity")
    parser.add_argument("--timeout", type=int, default=30000, help="of a handshake, in milliseconds")
    parser.add_argument("--tls13", action="store_true", help="offer TLS 1.3 and nothing else")
    parser.add_argument("--no-extended-master-secret", action="store_true")
    return parser.parse_args()


ARGUMENTS = arguments()
# Byte by byte to the end of the line: what comes after it belongs to others.
KEY = bytes.fromhex(sys.stdin.buffer.raw.readline().decode())


def check(result):
    if result < 0:
        raise OSError(GNUTLS.gnutls_strerror(int(result)).decode())
    return result


def psk(client_random, server_random):
    skipped = {"random32": 0, "random28": 4}[ARGUMENTS.layout]
    data = b"pre master secret" + client_random[skipped:] + server_random[skipped:]
    out = ctypes.create_string_buffer(32)
    check(GNUTLS.gnutls_hmac_fast(MAC_SHA256, KEY, ctypes.c_size_t(len(KEY)), data, ctypes.c_size_t(len(data)), out))
    return out.raw


def give(datum, content):
    datum.contents.data = MALLOC(len(content))
    datum.contents.size = len(content)
    ctypes.memmove(datum.contents.data, content, len(content))


def give_key(session, datum):
    client_random, server_random = Datum(), Datum()
    GNUTLS.gnutls_session_get_random(
        ctypes.c_void_p(session), ctypes.byref(client_random), ctypes.byref(server_random)
    )
    give(datum, psk(client_random.bytes(), server_random.bytes()))


@CLIENT_KEY
def client_key(session, identity, key):
    give(identity, ARGUMENTS.identity.encode())
    give_key(session, key)
    return 0


@SERVER_KEY
def server_key(session, identity, key):
    if identity != ARGUMENTS.identity.encode():
        return UNKNOWN_IDENTITY
    give_key(session, key)
    return 0


def credentials(role):
    made = ctypes.c_void_p()
    if role == CLIENT:
        check(GNUTLS.gnutls_psk_allocate_client_credentials(ctypes.byref(made)))
        GNUTLS.gnutls_psk_set_client_credentials_function2(made, client_key)
    else:
        check(GNUTLS.gnutls_psk_allocate_server_credentials(ctypes.byref(made)))
        GNUTLS.gnutls_psk_set_server_credentials_function(made, server_key)
    return made


def priority():
    if ARGUMENTS.tls13:
        words = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+ECDHE-PSK:+DHE-PSK"
    else:
        version = {"tls": "VERS-TLS1.2", "dtls": "VERS-DTLS1.2"}[ARGUMENTS.transport]
        words = f"NORMAL:-VERS-ALL:+{version}:-KX-ALL:-CIPHER-ALL:-MAC-ALL:{ARGUMENTS.suite}"
    if ARGUMENTS.no_extended_master_secret:
        words += ":%NO_SESSION_HASH"
    return words.encode()


class Session:
    """A session over a connected socket, once the handshake is done."""

    def __init__(self, connection, role, prestate=None):
        self.connection = connection
        self.credentials = credentials(role)
        self.handle = ctypes.c_void_p()
        flags = role | (DATAGRAM if ARGUMENTS.transport == "dtls" else 0)
        check(GNUTLS.gnutls_init(ctypes.byref(self.handle), flags))
        check(GNUTLS.gnutls_priority_set_direct(self.handle, priority(), None))
        check(GNUTLS.gnutls_credentials_set(self.handle, CREDENTIALS_PSK, self.credentials))
        GNUTLS.gnutls_transport_set_int2(self.handle, connection.fileno(), connection.fileno())
        GNUTLS.gnutls_handshake_set_timeout(self.handle, ARGUMENTS.timeout)
        if flags & DATAGRAM:
            GNUTLS.gnutls_dtls_set_mtu(self.handle, MTU)
            GNUTLS.gnutls_dtls_set_timeouts(self.handle, 1000, ARGUMENTS.timeout)
        if prestate:
            GNUTLS.gnutls_dtls_prestate_set(self.handle, ctypes.byref(prestate))
        self.shake_hands()
        suite = GNUTLS.gnutls_ciphersuite_get(self.handle).decode()
        is_extended = GNUTLS.gnutls_session_ext_master_secret_status(self.handle)
        with_or_without = "with" if is_extended else "without"
        say(f"established {suite} {with_or_without} extended master secret")

    def shake_hands(self):
        while (result := GNUTLS.gnutls_handshake(self.handle)) < 0:
            if result == FATAL_ALERT_RECEIVED:
                alert = GNUTLS.gnutls_alert_get_name(GNUTLS.gnutls_alert_get(self.handle))
                raise OSError(f"the other side says: {alert.decode()}")
            if GNUTLS.gnutls_error_is_fatal(result):
                # The other side learns why.
                GNUTLS.gnutls_alert_send_appropriate(self.handle, result)
                check(result)

    def read(self):
        """The data that has come, b"" for the end."""
        room = ctypes.create_string_buffer(CHUNK)
        while True:
            length = GNUTLS.gnutls_record_recv(self.handle, room, ctypes.c_size_t(CHUNK))
            if length >= 0 or GNUTLS.gnutls_error_is_fatal(int(length)):
                return room.raw[: check(length)]

    def read_until(self, is_enough):
        whole = b""
        while not is_enough(whole) and (data := self.read()):
            whole += data
        return whole

    def write(self, data):
        while data:
            data = data[check(GNUTLS.gnutls_record_send(self.handle, data, ctypes.c_size_t(len(data)))) :]

    def end_writing(self):
        """Sends close_notify, whether or not the other side has."""
        check(GNUTLS.gnutls_bye(self.handle, SHUT_WR))
        if ARGUMENTS.transport == "tls":
            self.connection.shutdown(socket.SHUT_WR)


def say(line):
    print(line, file=sys.stderr, flush=True)


def connect(kind):
    host, port = ARGUMENTS.what.rsplit(":", 1)
    connection = socket.socket(socket.AF_INET, kind)
    connection.connect((host, int(port)))
    return Session(connection, CLIENT)


def tls_client():
    session = connect(socket.SOCK_STREAM)

    def send():
        while data := sys.stdin.buffer.raw.read(CHUNK):
            session.write(data)
        session.end_writing()

    # GnuTLS lets one thread send while another receives.
    threading.Thread(target=send, daemon=True).start()
    while data := session.read():
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def dtls_client():
    session = connect(socket.SOCK_DGRAM)
    while line := sys.stdin.buffer.raw.readline():
        session.write(line)
        sys.stdout.buffer.write(session.read())
        sys.stdout.buffer.flush()
    session.end_writing()


def answer_http(session):
    session.read_until(lambda request: request.endswith(b"\r\n\r\n"))
    page = b"a page of gnutls\n"
    session.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(page), page))


def reverse(session):
    session.write(session.read_until(lambda _: False)[::-1])


def echo(session):
    while data := session.read():
        session.write(data)


def serve(connection, prestate=None):
    answer = {"http": answer_http, "reverse": reverse, "echo": echo}[ARGUMENTS.what]
    try:
        with connection:
            session = Session(connection, SERVER, prestate)
            answer(session)
            session.end_writing()
    except OSError as error:
        say(f"failed: {error}")


def tls_server():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("listening", listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=[connection], daemon=True).start()


def dtls_server():
    cookie_key = Datum()
    check(GNUTLS.gnutls_key_generate(ctypes.byref(cookie_key), COOKIE_KEY_SIZE))
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    address = listener.getsockname()
    print("listening", address[1], flush=True)
    while True:
        client, prestate = verified_client(listener, cookie_key)
        # The socket becomes the session's: its ClientHello still waits there. Another takes its place for the others.
        # It may only be shared from here on, or the kernel gives its port to two servers that both ask for any.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection, listener = listener, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        connection.connect(client)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        threading.Thread(target=serve, args=[connection, prestate], daemon=True).start()


def verified_client(listener, cookie_key):
    """Waits for a ClientHello whose cookie is right, and leaves it in the socket."""
    while True:
        hello, client = listener.recvfrom(CHUNK, socket.MSG_PEEK)
        name, prestate = repr(client).encode(), Prestate()
        result = GNUTLS.gnutls_dtls_cookie_verify(
            ctypes.byref(cookie_key), name, ctypes.c_size_t(len(name)), hello, ctypes.c_size_t(len(hello)), ctypes.byref(prestate)
        )
        if result == 0:
            return client, prestate
        listener.recv(CHUNK)

        @PUSH
        def push(_, data, length):
            return listener.sendto(ctypes.string_at(data, length), client)

        check(
            GNUTLS.gnutls_dtls_cookie_send(
                ctypes.byref(cookie_key), name, ctypes.c_size_t(len(name)), ctypes.byref(prestate), None, push
            )
        )


def derive():
    for line in sys.stdin:
        print(psk(*map(bytes.fromhex, line.split())).hex(), flush=True)


ROLES = {
    "tls": {"client": tls_client, "server": tls_server, "derive": derive},
    "dtls": {"client": dtls_client, "server": dtls_server, "derive": derive},
}

signal.alarm(LIFETIME)
try:
    ROLES[ARGUMENTS.transport][ARGUMENTS.role]()
except OSError as error:
    say(f"failed: {error}")
    sys.exit(1)
