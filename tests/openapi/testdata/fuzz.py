"""Holds a server to the document that says what it takes and answers.

    fuzz.py DOCUMENT TAG ADDRESS CERTIFICATE < BODIES

schemathesis asks the operations of this tag at this address, as the participant whose certificate and key are in one PEM
file: with what the document allows, and with what it does not. BODIES are a JSON object: for operations by their id, a body
that this participant could ask with now. Nobody vouches for the server's certificate, so it is not looked at: that tokens
do, other tests show.

The seed is fixed, and nothing is kept from one run for the next. Ends with 0 where every answer was as written.
"""

import base64
import json
import os
import sys
import tempfile
from collections import Counter

import jsonschema_rs
import requests
import schemathesis
import urllib3
import yaml

SEED = 20260718
# Of one operation and one way to make requests.
EXAMPLES = 20

CHALLENGE = "mcbn-challenge"
TOKEN = "mcbn-token"

CONFIGURATION = f"""\
seed = {SEED}
continue-on-failure = true
color = false
request-timeout = 60
tls-verify = false

[cache]
enabled = false

[generation]
database = "none"
max-examples = {EXAMPLES}

[phases.stateful]
enabled = false

# Whatever the document does not allow is refused under one status, a method as well.
[phases.coverage]
unexpected-methods = []
[checks.negative_data_rejection]
expected-statuses = [400]
[checks.missing_required_header]
expected-statuses = [400]
# Who asks for another, or without a signature, or at another time, asks validly.
[checks.positive_data_acceptance]
expected-statuses = [200, 403, 404, 409, 410, 422, 429]
"""

# A schema tells the form of a point, and most of what has the form is none.
OF_POINTS = """\
[[operations]]
include-operation-id = "submit"
[operations.checks.positive_data_acceptance]
expected-statuses = [200, 400, 403, 404, 409, 410, 422, 429]
"""

seen = Counter()


@schemathesis.hook
def filter_body(context, body):
    """To JSON Schema 1.0 is an integer, and it has no word against it; the document's text has."""
    inside = body.values() if isinstance(body, dict) else body if isinstance(body, list) else []
    whole = isinstance(body, float) and body.is_integer()
    return not whole and all(filter_body(context, value) for value in inside)


@schemathesis.check
def a_token_vouches(ctx, response, case):
    """Beside every answer stands a token, but where there is no challenge that it could answer."""
    seen[case.operation.definition.raw["operationId"], response.status_code] += 1
    without = response.json()["refused"] == "challenge" if response.status_code == 400 else False
    if (TOKEN in response.headers) == without:
        raise AssertionError("a token too many" if without else "no token")


def main():
    document_path, tag, address, certificate = sys.argv[1:]
    bodies = json.load(sys.stdin)
    with open(document_path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    others = [path for path, item in document["paths"].items() if tag not in item["post"]["tags"]]
    not_posted(document, tag, address, certificate, others)
    for path in others:
        del document["paths"][path]
    for item in document["paths"].values():
        body = bodies.pop(item["post"]["operationId"], None)
        if body is not None:
            content = item["post"]["requestBody"]["content"]["application/json"]
            content["examples"] = {"genuine": {"value": body}}
    if bodies:
        sys.exit(f"fuzz: error: no such operations: {', '.join(bodies)}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("document.json", "w", encoding="utf-8") as file:
            json.dump(document, file)
        with open("schemathesis.toml", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION + (OF_POINTS if tag == "signing" else ""))
        from schemathesis.cli import schemathesis as program

        try:
            program.main(["run", "document.json", f"--url=https://{address}", f"--request-cert={certificate}"])
        except SystemExit as end:
            code = end.code
    for (operation, status), count in sorted(seen.items()):
        print(f"seen {operation} {status} {count}")
    for path, item in document["paths"].items():
        statuses = {status for operation, status in seen if operation == item["post"]["operationId"]}
        if 400 not in statuses or len(statuses) == 1:
            sys.exit(f"fuzz: error: {path} was not asked both what it refuses and what it does not")
    sys.exit(code)


def not_posted(document, tag, address, certificate, others):
    """What schemathesis has no word for: another path, another method, a body where there is none to be."""
    refusal = jsonschema_rs.validator_for(
        {**document, "$ref": "#/components/responses/Malformed/content/application~1json/schema"}
    )
    session = requests.Session()
    session.cert, session.verify = certificate, False

    def is_refused(method, path, body=None):
        challenge = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=")
        answer = session.request(
            method, f"https://{address}{path}", data=body, headers={CHALLENGE: challenge}, timeout=60
        )
        told = f"{method} {path} with {body!r}: {answer.status_code} {answer.content!r}"
        assert answer.status_code == 400, told
        # A HEAD's answer has none.
        if method != "HEAD":
            assert answer.json() == {"refused": "request"}, told
            refusal.validate(answer.json())
        assert TOKEN in answer.headers, told

    own = [path for path in document["paths"] if path not in others]
    for path in own:
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]:
            is_refused(method, path)
        is_refused("POST", path + "/")
        operation = document["paths"][path]["post"]
        for body in [b" ", b"{}", b"null", b'{"participant":1}', b"x" * (64 * 1024 + 1)]:
            if "requestBody" not in operation:
                is_refused("POST", path, body)
    for path in [*others, "/", "/v1", "/v2/generation", "/healthz", own[0].upper(), "/" + own[0]]:
        is_refused("POST", path)


if __name__ == "__main__":
    main()
