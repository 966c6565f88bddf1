"""A DTLS 1.2 peer whose pre-shared key is made anew in each handshake, on OpenSSL's library.

tpm_openssl.py dtls client HOST:PORT, tpm_openssl.py dtls server echo, tpm_openssl.py dtls derive; the rest are flags.

PSK = HMAC-SHA256(K, "pre master secret" || client_random || server_random); `random28` leaves out the first four bytes of
each random. K comes in hexadecimal digits as the first line of standard input.

The client sends each line of the rest of its standard input as a datagram and prints the datagram that comes back. The
server prints `listening PORT`, and gives each datagram of one client back. `derive` reads lines of two randoms and prints
the PSK of each. Whatever happens to a handshake stands on standard error.

Python's ssl has no DTLS and s_client knows fixed keys only, so the library is called.
"""

import argparse
import ctypes
import signal
import socket
import sys

CHUNK = 16384
LIFETIME = 60  # seconds, then the whole process ends by SIGALRM
MTU = 1400
RANDOM_LENGTH = KEY_LENGTH = 32
# dtls1.h: so many timeouts in a row end a handshake.
TIMEOUTS = 12

# openssl/ssl.h, bio.h and dtls1.h, 3.0.
NO_CLOSE = 0
DTLS1_2 = 0xFEFD
SET_MINIMUM, SET_MAXIMUM, SET_MTU = 123, 124, 17
NO_EXTENDED_MASTER_SECRET, NO_QUERY_MTU, COOKIE_EXCHANGE = 1 << 0, 1 << 12, 1 << 13
DGRAM_SET_CONNECTED = 32
EXTENDED_MASTER_SECRET_SUPPORT = 122

CRYPTO = ctypes.CDLL("libcrypto.so.3")
SSL = ctypes.CDLL("libssl.so.3")
POINTER, LENGTH, BYTES = ctypes.c_void_p, ctypes.c_uint, ctypes.POINTER(ctypes.c_ubyte)
CLIENT_KEY = ctypes.CFUNCTYPE(LENGTH, POINTER, ctypes.c_char_p, POINTER, LENGTH, POINTER, LENGTH)
SERVER_KEY = ctypes.CFUNCTYPE(LENGTH, POINTER, ctypes.c_char_p, POINTER, LENGTH)
TIMER = ctypes.CFUNCTYPE(LENGTH, POINTER, LENGTH)
MAKE_COOKIE = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, POINTER, ctypes.POINTER(LENGTH))
CHECK_COOKIE = ctypes.CFUNCTYPE(ctypes.c_int, POINTER, BYTES, LENGTH)


def returns(result, library, name, *parameters):
    function = getattr(library, name)
    function.restype, function.argtypes = result, parameters
    return function


method = returns(POINTER, SSL, "DTLS_method")
new_context = returns(POINTER, SSL, "SSL_CTX_new", POINTER)
context_control = returns(ctypes.c_long, SSL, "SSL_CTX_ctrl", POINTER, ctypes.c_int, ctypes.c_long, POINTER)
set_options = returns(ctypes.c_uint64, SSL, "SSL_CTX_set_options", POINTER, ctypes.c_uint64)
set_suites = returns(ctypes.c_int, SSL, "SSL_CTX_set_cipher_list", POINTER, ctypes.c_char_p)
set_client_key = returns(None, SSL, "SSL_CTX_set_psk_client_callback", POINTER, CLIENT_KEY)
set_server_key = returns(None, SSL, "SSL_CTX_set_psk_server_callback", POINTER, SERVER_KEY)
set_make_cookie = returns(None, SSL, "SSL_CTX_set_cookie_generate_cb", POINTER, MAKE_COOKIE)
set_check_cookie = returns(None, SSL, "SSL_CTX_set_cookie_verify_cb", POINTER, CHECK_COOKIE)
new_session = returns(POINTER, SSL, "SSL_new", POINTER)
control = returns(ctypes.c_long, SSL, "SSL_ctrl", POINTER, ctypes.c_int, ctypes.c_long, POINTER)
set_timer = returns(None, SSL, "DTLS_set_timer_cb", POINTER, TIMER)
set_bio = returns(None, SSL, "SSL_set_bio", POINTER, POINTER, POINTER)
client_random_of = returns(ctypes.c_size_t, SSL, "SSL_get_client_random", POINTER, POINTER, ctypes.c_size_t)
server_random_of = returns(ctypes.c_size_t, SSL, "SSL_get_server_random", POINTER, POINTER, ctypes.c_size_t)
connect = returns(ctypes.c_int, SSL, "SSL_connect", POINTER)
accept = returns(ctypes.c_int, SSL, "SSL_accept", POINTER)
read = returns(ctypes.c_int, SSL, "SSL_read", POINTER, POINTER, ctypes.c_int)
write = returns(ctypes.c_int, SSL, "SSL_write", POINTER, ctypes.c_char_p, ctypes.c_int)
shutdown = returns(ctypes.c_int, SSL, "SSL_shutdown", POINTER)
was_closed = returns(ctypes.c_int, SSL, "SSL_get_shutdown", POINTER)
suite_of = returns(POINTER, SSL, "SSL_get_current_cipher", POINTER)
name_of = returns(ctypes.c_char_p, SSL, "SSL_CIPHER_get_name", POINTER)
new_bio = returns(POINTER, CRYPTO, "BIO_new_dgram", ctypes.c_int, ctypes.c_int)
bio_control = returns(ctypes.c_long, CRYPTO, "BIO_ctrl", POINTER, ctypes.c_int, ctypes.c_long, POINTER)
new_address = returns(POINTER, CRYPTO, "BIO_ADDR_new")
make_address = returns(
    ctypes.c_int, CRYPTO, "BIO_ADDR_rawmake", POINTER, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_ushort
)
error = returns(ctypes.c_ulong, CRYPTO, "ERR_get_error")
reason = returns(ctypes.c_char_p, CRYPTO, "ERR_reason_error_string", ctypes.c_ulong)
sha256 = returns(POINTER, CRYPTO, "EVP_sha256")
hmac = returns(
    POINTER, CRYPTO, "HMAC", POINTER, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, POINTER, POINTER
)


def arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("transport", choices=["dtls"])
    parser.add_argument("role", choices=["client", "server", "derive"])
    parser.add_argument("what", nargs="?", help="HOST:PORT, or echo")
    parser.add_argument("--layout", choices=["random32", "random28"], required=True)
    parser.add_argument("--suite", help="OpenSSL's name of the one cipher suite")
    parser.add_argument("--identity")
    parser.add_argument("--timeout", type=int, default=30000, help="of a handshake, in milliseconds")
    parser.add_argument("--no-extended-master-secret", action="store_true")
    return parser.parse_args()


ARGUMENTS = arguments()
# Byte by byte to the end of the line: what comes after it belongs to others.
KEY = bytes.fromhex(sys.stdin.buffer.raw.readline().decode())


def check(result):
    if not result or result < 0:
        why = reason(error())
        raise OSError(why.decode() if why else "the other side is gone")
    return result


def psk(client_random, server_random):
    skipped = {"random32": 0, "random28": 4}[ARGUMENTS.layout]
    data = b"pre master secret" + client_random[skipped:] + server_random[skipped:]
    out = ctypes.create_string_buffer(KEY_LENGTH)
    check(hmac(sha256(), KEY, len(KEY), data, len(data), out, None))
    return out.raw


def write_key(session, key):
    client_random = ctypes.create_string_buffer(RANDOM_LENGTH)
    server_random = ctypes.create_string_buffer(RANDOM_LENGTH)
    client_random_of(session, client_random, RANDOM_LENGTH)
    server_random_of(session, server_random, RANDOM_LENGTH)
    ctypes.memmove(key, psk(client_random.raw, server_random.raw), KEY_LENGTH)
    return KEY_LENGTH


@CLIENT_KEY
def client_key(session, hint, identity, identity_room, key, key_room):
    name = ARGUMENTS.identity.encode() + b"\0"
    ctypes.memmove(identity, name, len(name))
    return write_key(session, key)


@SERVER_KEY
def server_key(session, identity, key, key_room):
    return write_key(session, key) if identity == ARGUMENTS.identity.encode() else 0


# The server hears one client only: its cookie shows that the exchange takes place, and guards nothing.
COOKIE = b"a cookie of this server"


@MAKE_COOKIE
def make_cookie(session, cookie, length):
    ctypes.memmove(cookie, COOKIE, len(COOKIE))
    length[0] = len(COOKIE)
    return 1


@CHECK_COOKIE
def check_cookie(session, cookie, length):
    return bytes(cookie[:length]) == COOKIE


@TIMER
def timer(session, last):
    return ARGUMENTS.timeout * 1000 // TIMEOUTS


def context():
    made = check(new_context(method()))
    check(context_control(made, SET_MINIMUM, DTLS1_2, None))
    check(context_control(made, SET_MAXIMUM, DTLS1_2, None))
    check(set_suites(made, ARGUMENTS.suite.encode()))
    options = NO_QUERY_MTU | COOKIE_EXCHANGE
    if ARGUMENTS.no_extended_master_secret:
        options |= NO_EXTENDED_MASTER_SECRET
    set_options(made, options)
    set_client_key(made, client_key)
    set_server_key(made, server_key)
    set_make_cookie(made, make_cookie)
    set_check_cookie(made, check_cookie)
    return made


class Session:
    """A session over a connected socket, once the handshake is done."""

    def __init__(self, connection, shake_hands):
        self.handle = new_session(context())
        control(self.handle, SET_MTU, MTU, None)
        set_timer(self.handle, timer)
        bio = new_bio(connection.fileno(), NO_CLOSE)
        host, port = connection.getpeername()
        address = new_address()
        make_address(address, socket.AF_INET, socket.inet_aton(host), 4, socket.htons(port))
        bio_control(bio, DGRAM_SET_CONNECTED, 0, address)
        set_bio(self.handle, bio, bio)
        check(shake_hands(self.handle))
        is_extended = control(self.handle, EXTENDED_MASTER_SECRET_SUPPORT, 0, None) == 1
        with_or_without = "with" if is_extended else "without"
        say(f"established {name_of(suite_of(self.handle)).decode()} {with_or_without} extended master secret")

    def read(self):
        """The datagram that has come, b"" for the end."""
        room = ctypes.create_string_buffer(CHUNK)
        length = read(self.handle, room, CHUNK)
        return b"" if length <= 0 and was_closed(self.handle) else room.raw[: check(length)]

    def write(self, data):
        check(write(self.handle, data, len(data)))

    def end_writing(self):
        shutdown(self.handle)


def say(line):
    print(line, file=sys.stderr, flush=True)


def client():
    host, port = ARGUMENTS.what.rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.connect((host, int(port)))
        session = Session(connection, connect)
        while line := sys.stdin.buffer.raw.readline():
            session.write(line)
            sys.stdout.buffer.write(session.read())
            sys.stdout.buffer.flush()
        session.end_writing()


def server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.bind(("127.0.0.1", 0))
        print("listening", connection.getsockname()[1], flush=True)
        _, client = connection.recvfrom(CHUNK, socket.MSG_PEEK)
        connection.connect(client)
        session = Session(connection, accept)
        while datagram := session.read():
            session.write(datagram)
        session.end_writing()


def derive():
    for line in sys.stdin:
        print(psk(*map(bytes.fromhex, line.split())).hex(), flush=True)


signal.alarm(LIFETIME)
try:
    {"client": client, "server": server, "derive": derive}[ARGUMENTS.role]()
except OSError as failure:
    say(f"failed: {failure}")
    sys.exit(1)
