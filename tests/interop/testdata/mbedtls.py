"""A DTLS peer on mbedTLS: mbedtls.py client PORT SUITE IDENTITY KEY, mbedtls.py server SUITE IDENTITY KEY.

SUITE is the number of the one cipher suite, as IANA has it. The client sends each line of its standard input as a datagram
and prints each datagram that comes back; the server prints `listening PORT` and gives each datagram back.

mbedTLS has no program for this in Debian, so its library is called. Its structures are only ever touched by itself: each
stands at the beginning of a room that is larger than any of them.
"""

import ctypes
import socket
import sys

ROLE, *WHERE = sys.argv[1:-3]
SUITE, IDENTITY, KEY = int(sys.argv[-3], 16), sys.argv[-2].encode(), bytes.fromhex(sys.argv[-1])
HOST = b"127.0.0.1"
ROOM = 65536
UDP = DATAGRAM = 1
SERVER = {"client": 0, "server": 1}[ROLE]
VERIFY_NONE = 0

# mbedtls/ssl.h, 3.6.
HELLO_VERIFY_REQUIRED = -0x6A80
PEER_CLOSE_NOTIFY = -0x7880
TIMEOUT = -0x6800

CRYPTO = ctypes.CDLL("libmbedcrypto.so.16")
TLS = ctypes.CDLL("libmbedtls.so.21")


def structure(init):
    room = ctypes.create_string_buffer(ROOM)
    init(room)
    return room


def check(result):
    if result < 0:
        raise OSError(f"mbedTLS: -{-result:#06x}")
    return result


def context():
    entropy = structure(CRYPTO.mbedtls_entropy_init)
    random = structure(CRYPTO.mbedtls_ctr_drbg_init)
    check(CRYPTO.mbedtls_ctr_drbg_seed(random, CRYPTO.mbedtls_entropy_func, entropy, None, 0))
    config = structure(TLS.mbedtls_ssl_config_init)
    check(TLS.mbedtls_ssl_config_defaults(config, SERVER, DATAGRAM, 0))
    TLS.mbedtls_ssl_conf_rng(config, CRYPTO.mbedtls_ctr_drbg_random, random)
    TLS.mbedtls_ssl_conf_authmode(config, VERIFY_NONE)
    suites = (ctypes.c_int * 2)(SUITE, 0)
    TLS.mbedtls_ssl_conf_ciphersuites(config, suites)
    check(TLS.mbedtls_ssl_conf_psk(config, KEY, ctypes.c_size_t(len(KEY)), IDENTITY, ctypes.c_size_t(len(IDENTITY))))
    TLS.mbedtls_ssl_conf_read_timeout(config, 60000)
    cookies = structure(TLS.mbedtls_ssl_cookie_init)
    if SERVER:
        check(TLS.mbedtls_ssl_cookie_setup(cookies, CRYPTO.mbedtls_ctr_drbg_random, random))
        TLS.mbedtls_ssl_conf_dtls_cookies(config, TLS.mbedtls_ssl_cookie_write, TLS.mbedtls_ssl_cookie_check, cookies)
    ssl = structure(TLS.mbedtls_ssl_init)
    check(TLS.mbedtls_ssl_setup(ssl, config))
    timer = ctypes.create_string_buffer(ROOM)
    timing = library_of("mbedtls_timing_set_delay")
    TLS.mbedtls_ssl_set_timer_cb(ssl, timer, timing.mbedtls_timing_set_delay, timing.mbedtls_timing_get_delay)
    return ssl, (entropy, random, config, suites, cookies, timer)


def library_of(function):
    return TLS if hasattr(TLS, function) else CRYPTO


def use(ssl, connection):
    TLS.mbedtls_ssl_set_bio(
        ssl, connection, TLS.mbedtls_net_send, TLS.mbedtls_net_recv, TLS.mbedtls_net_recv_timeout
    )


def receive(ssl):
    room = ctypes.create_string_buffer(ROOM)
    length = TLS.mbedtls_ssl_read(ssl, room, ctypes.c_size_t(ROOM))
    if length in (0, PEER_CLOSE_NOTIFY, TIMEOUT):
        return None
    return room.raw[: check(length)]


def send(ssl, datagram):
    check(TLS.mbedtls_ssl_write(ssl, datagram, ctypes.c_size_t(len(datagram))))


def client(ssl):
    connection = structure(TLS.mbedtls_net_init)
    check(TLS.mbedtls_net_connect(connection, HOST, WHERE[0].encode(), UDP))
    use(ssl, connection)
    check(TLS.mbedtls_ssl_handshake(ssl))
    for line in sys.stdin.buffer:
        send(ssl, line)
        sys.stdout.buffer.write(receive(ssl) or b"")
        sys.stdout.buffer.flush()
    TLS.mbedtls_ssl_close_notify(ssl)


def server(ssl):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST.decode(), 0))
        port = probe.getsockname()[1]
    listener = structure(TLS.mbedtls_net_init)
    check(TLS.mbedtls_net_bind(listener, HOST, str(port).encode(), UDP))
    print("listening", port, flush=True)
    while True:
        connection = structure(TLS.mbedtls_net_init)
        address = ctypes.create_string_buffer(16)
        length = ctypes.c_size_t()
        check(TLS.mbedtls_net_accept(listener, connection, address, ctypes.c_size_t(16), ctypes.byref(length)))
        check(TLS.mbedtls_ssl_session_reset(ssl))
        check(TLS.mbedtls_ssl_set_client_transport_id(ssl, address, length))
        use(ssl, connection)
        result = TLS.mbedtls_ssl_handshake(ssl)
        if result != HELLO_VERIFY_REQUIRED:
            check(result)
            while (datagram := receive(ssl)) is not None:
                send(ssl, datagram)
        TLS.mbedtls_net_free(connection)


SSL, KEPT = context()
server(SSL) if SERVER else client(SSL)
