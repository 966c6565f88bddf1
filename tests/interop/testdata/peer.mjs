// A TLS client or server: peer.mjs client PORT VERSION CREDENTIALS, peer.mjs server http|reverse VERSION CREDENTIALS.
//
// CREDENTIALS is IDENTITY KEY, a pre-shared key, or FOLDER, which holds key.pem, certificate.pem, ca.pem, at which the
// other side's chain must end, and spki.der, the public key that the other side must show as well.
//
// The client is a pipe: its standard input goes to the server, what the server sends goes to its standard output, and
// either may end first. The server prints `listening PORT`.

import { readFileSync } from "node:fs";
import https from "node:https";
import tls from "node:tls";

const [role, what, version, ...credentials] = process.argv.slice(1);

// With a pre-shared key there is nothing left to check.
let checkPeer = () => {};

const options = {
  host: "127.0.0.1",
  minVersion: version,
  maxVersion: version,
  allowHalfOpen: true,
  ...(credentials.length === 2 ? byKey(...credentials) : byCertificate(...credentials)),
};

function byKey(identity, hex) {
  const psk = Buffer.from(hex, "hex");
  return {
    // Node's own list has no suite with a key for TLS 1.2. TLS 1.3 takes the key with any suite of its hash.
    ...(version === "TLSv1.2" && { ciphers: "kECDHEPSK" }),
    ...(role === "client"
      ? // There is no certificate whose name could be checked; that there is none is what rejectUnauthorized accepts.
        { checkServerIdentity: () => undefined, pskCallback: () => ({ identity, psk }) }
      : { pskCallback: (_, name) => (name === identity ? psk : null) }),
  };
}

function byCertificate(folder) {
  const files = ["key.pem", "certificate.pem", "ca.pem", "spki.der"];
  const [key, cert, ca, spki] = files.map((name) => readFileSync(`${folder}/${name}`));
  checkPeer = (socket) => {
    const { publicKey } = socket.getPeerX509Certificate();
    if (!publicKey.export({ type: "spki", format: "der" }).equals(spki)) {
      throw new Error("the other side has another key");
    }
  };
  return { key, cert, ca, ...(role === "server" && { requestCert: true, rejectUnauthorized: true }) };
}

function client(port) {
  const socket = tls.connect({ ...options, port: Number(port) }, () => checkPeer(socket));
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on("end", () => process.stdin.destroy());
}

function server(service) {
  const listener =
    service === "http"
      ? https.createServer(options, (_, response) => response.end("a page of node\n"))
      : tls.createServer(options, reverse);
  listener.on("secureConnection", checkPeer);
  listener.on("tlsClientError", (error) => console.error(error.message));
  listener.listen(0, "127.0.0.1", () => console.log("listening", listener.address().port));
}

function reverse(socket) {
  const parts = [];
  socket.on("data", (part) => parts.push(part));
  socket.on("end", () => socket.end(Buffer.concat(parts).reverse()));
}

({ client, server })[role](what);
