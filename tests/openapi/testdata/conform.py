"""Holds messages to the document that says what they are.

    conform.py DOCUMENT < MESSAGES

MESSAGES are lines: what it should be, a tab, and a message. It should be what a schema of this name says, or a refusal under
this status, for any of the operations. Prints `fits NAME` or `does not fit NAME: REASON` for each. Ends with 0 where it
could judge them all.
"""

import json
import sys

import jsonschema_rs
import yaml


def schema(document, name):
    if not name.isdigit():
        assert name in document["components"]["schemas"], name
        return {"$ref": f"#/components/schemas/{name}"}
    places = []
    for path, item in document["paths"].items():
        answer = item["post"]["responses"].get(name, {})
        own = f"#/paths/{path.replace('/', '~1')}/post/responses/{name}"
        place = answer.get("$ref", own)
        if answer:
            places.append({"$ref": place + "/content/application~1json/schema"})
    return {"anyOf": places} if places else False


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = yaml.safe_load(file)
    for name, each in document["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(each), name
    for line in sys.stdin:
        name, message = line.rstrip("\n").split("\t", 1)
        wanted = schema(document, name)
        # The document is what the references are into.
        wanted = {**document, **wanted} if wanted else wanted
        try:
            jsonschema_rs.validator_for(wanted).validate(json.loads(message))
            print(f"fits {name}")
        except jsonschema_rs.ValidationError as error:
            where = "/".join(map(str, error.instance_path))
            print(f"does not fit {name}: {where}: {error.message}")


if __name__ == "__main__":
    main()
