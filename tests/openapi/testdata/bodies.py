"""Makes bodies that the document allows.

    bodies.py DOCUMENT

Prints lines: the name of a schema that some operation asks with, a tab, and a body. The seed is fixed.
"""

import json
import re
import sys
import warnings

import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.generation import GenerationMode

SEED = 20260718
# Of one operation.
EXAMPLES = 50


def main():
    # Hypothesis has its words about strategies outside of tests.
    warnings.simplefilter("ignore")
    schema = schemathesis.openapi.from_path(sys.argv[1])
    for result in schema.get_all_operations():
        operation = result.ok()
        asked = operation.definition.raw.get("requestBody")
        if asked is None:
            continue
        name = asked["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]

        @seed(SEED)
        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        @settings(max_examples=EXAMPLES, database=None, deadline=None, suppress_health_check=list(HealthCheck))
        def show(case):
            body = json.dumps(case.body)
            # To JSON Schema 1.0 is an integer; the document's text says that there are none.
            if not re.search(r"\d\.0\b", body):
                print(f"{name}\t{body}")

        show()


if __name__ == "__main__":
    main()
