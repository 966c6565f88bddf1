// A TLS-PSK client or server: peer.mjs client PORT VERSION IDENTITY KEY, peer.mjs server http|reverse VERSION IDENTITY KEY.
//
// The client is a pipe: its standard input goes to the server, what the server sends goes to its standard output, and
// either may end first. The server prints `listening PORT`.

import https from "node:https";
import tls from "node:tls";

const [role, what, version, identity, key] = process.argv.slice(1);
const psk = Buffer.from(key, "hex");

const options = {
  host: "127.0.0.1",
  minVersion: version,
  maxVersion: version,
  // Node's own list has no suite with a key for TLS 1.2. TLS 1.3 takes the key with any suite of its hash.
  ...(version === "TLSv1.2" && { ciphers: "kECDHEPSK" }),
  allowHalfOpen: true,
};

function client(port) {
  const socket = tls.connect({
    ...options,
    port: Number(port),
    // There is no certificate whose name could be checked; that there is none is what rejectUnauthorized accepts.
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ identity, psk }),
  });
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on("end", () => process.stdin.destroy());
}

function server(service) {
  const settings = { ...options, pskCallback: (_, name) => (name === identity ? psk : null) };
  const listener =
    service === "http"
      ? https.createServer(settings, (_, response) => response.end("a page of node\n"))
      : tls.createServer(settings, reverse);
  listener.on("tlsClientError", (error) => console.error(error.message));
  listener.listen(0, "127.0.0.1", () => console.log("listening", listener.address().port));
}

function reverse(socket) {
  const parts = [];
  socket.on("data", (part) => parts.push(part));
  socket.on("end", () => socket.end(Buffer.concat(parts).reverse()));
}

({ client, server })[role](what);
